package containerd

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// A call that was given up ends in the context's error, whoever noticed first:
// our own clock, containerd's, or the shim's behind it.
func TestGivenUpCallsAreTheContextsError(t *testing.T) {
	for name, c := range map[string]struct{ err, want error }{
		"own clock":          {context.DeadlineExceeded, context.DeadlineExceeded},
		"own clock, wrapped": {fmt.Errorf("get: %w", context.Canceled), context.Canceled},
		"containerd":         {status.Error(codes.DeadlineExceeded, "context deadline exceeded"), context.DeadlineExceeded},
		"containerd cancel":  {status.Error(codes.Canceled, "context canceled"), context.Canceled},
		"shim":               {status.Error(codes.Unknown, "context deadline exceeded"), context.DeadlineExceeded},
		"shim, wrapped":      {native(status.Error(codes.Unknown, "wait: context canceled")), context.Canceled},
	} {
		if got := about(runtime.ContainerID{Service: "c"}, native(c.err)); !errors.Is(got, c.want) {
			t.Errorf("%s: %v does not wrap %v", name, got, c.want)
		}
	}
	if err := native(status.Error(codes.Unknown, "no such shim")); errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		t.Errorf("an error about something else became the context's: %v", err)
	}
}
