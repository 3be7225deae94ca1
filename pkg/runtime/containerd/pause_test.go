//go:build linux || windows

package containerd

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/containerd/errdefs"
)

// A kernel that takes its time to freeze a container is asked again, and everything
// else is told at once.
func TestPauseIsTriedAgainWhileTheKernelIsBusy(t *testing.T) {
	busy, other := errors.New("OCI runtime pause failed: unable to freeze"), errdefs.ErrFailedPrecondition
	for name, c := range map[string]struct {
		answers []error
		want    error
	}{
		"at the third time": {[]error{busy, busy, nil}, nil},
		"never":             {[]error{busy}, errdefs.ErrUnavailable},
		"another error":     {[]error{other}, other},
		"then another":      {[]error{busy, other}, other},
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			err := pauseTask(t.Context(), func() error {
				calls++
				return c.answers[min(calls, len(c.answers))-1]
			})
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%s: after %d calls %v, want %v", name, calls, err, c.want)
			}
			if again := calls > 1; again != errors.Is(c.answers[0], busy) {
				t.Errorf("%s: %d calls", name, calls)
			}
		})
	}
}
