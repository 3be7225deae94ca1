package worker_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// written is what a worker logs.
type written struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *written) matches(pattern string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(regexp.MustCompile(pattern).FindAllIndex(w.text.Bytes(), -1))
}

// A registry that is away is asked again, and each time the log says why, and
// when.
func TestWhatIsTriedAgainIsLoggedWithItsReason(t *testing.T) {
	var log written
	inRig(t, func(t *testing.T, r *rig) {
		asked := 0
		r.faulty.pulls = func(context.Context, runtime.PullOptions) error {
			if asked++; asked <= 3 {
				return fmt.Errorf("the registry sleeps: %w", errdefs.ErrUnavailable)
			}
			return nil
		}
		if o := r.send(task("a", "true"), messages.HeaderWait, "1m"); o.Status != messages.StatusCompleted {
			t.Fatalf("%+v", o)
		}
		if n := log.matches(`level=WARN msg="will try again" .*what=.* error=".*the registry sleeps.*" again_in=\d`); n != 3 {
			t.Errorf("the log says %d times why it is tried again, want 3:\n%s", n, &log.text)
		}
	}, func(c *worker.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
}
