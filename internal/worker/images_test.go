package worker_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func (f *faultyRuntime) ListImages(ctx context.Context) ([]runtime.ImageInfo, error) {
	f.mu.Lock()
	listed := f.listed
	f.mu.Unlock()
	if listed != nil {
		return listed, nil
	}
	return f.Runtime.ListImages(ctx)
}

// crowd is more images than a heartbeat holds, each under two references.
func crowd() (out []runtime.ImageInfo) {
	for i := range 100 {
		for _, tag := range []string{"old", "new"} {
			out = append(out, runtime.ImageInfo{Reference: fmt.Sprintf("r.example/i%d:%s", i, tag), Digest: fmt.Sprintf("sha256:%064x", i)})
		}
	}
	return out
}

func TestHeartbeatsTellImages(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		o := r.send(task("web", "sleep", "60"))
		time.Sleep(4 * time.Second)
		d, err := r.faulty.Inspect(t.Context(), runtime.ContainerID{Service: "web"})
		if got := r.lastBeat().Images; err != nil || !slices.Equal(got, []string{d.ImageDigest}) || d.ImageDigest == "" {
			t.Errorf("after %s it tells %q, want the image of the container, %q (%v)", o.Status, got, d.ImageDigest, err)
		}
		r.faulty.mu.Lock()
		r.faulty.listed = crowd()
		r.faulty.mu.Unlock()
		time.Sleep(4 * time.Second)
		got := r.lastBeat().Images
		if len(got) != messages.MaxImages || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Errorf("it tells %d images: %q", len(got), got)
		}
	})
}
