package memory

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Wait is the exit code of WaitOutcome, when the container does not run.
func (r *Runtime) Wait(ctx context.Context, id runtime.ContainerID) (int, error) {
	outcome, err := r.WaitOutcome(ctx, id, messages.WaitNotRunning)
	return outcome.ExitCode, err
}

// WaitOutcome waits for the condition. A container that never ran has no
// outcome to tell: not_running is FailedPrecondition then, and removed is
// NotFound once it is gone.
func (r *Runtime) WaitOutcome(ctx context.Context, id runtime.ContainerID, until messages.WaitCondition) (runtime.WaitOutcome, error) {
	c, unlock, err := r.on(ctx, "wait for", id)
	if err != nil {
		return runtime.WaitOutcome{}, err
	}
	defer unlock()
	seen := c.exits
	var holds func() bool
	switch until {
	case "", messages.WaitNotRunning:
		if c.process == nil && c.exits == 0 {
			return runtime.WaitOutcome{}, fmt.Errorf("wait for %s: it was never started: %w", id, errdefs.ErrFailedPrecondition)
		}
		holds = func() bool { return c.process == nil || c.exits > seen }
	case messages.WaitNextExit:
		holds = func() bool { return c.exits > seen || c.removed }
	case messages.WaitRemoved:
		seen = 0
		holds = func() bool { return c.removed }
	default:
		return runtime.WaitOutcome{}, fmt.Errorf("wait for %s: condition %q is not known; want not_running, next_exit or removed: %w",
			id, until, errdefs.ErrInvalidArgument)
	}
	if _, err := r.await(ctx, "wait for "+id.String(), &c.turn, nil, holds); err != nil {
		return runtime.WaitOutcome{}, err
	}
	if c.exits == 0 || until == messages.WaitNextExit && c.exits == seen {
		return runtime.WaitOutcome{}, fmt.Errorf("wait for %s: it was removed and had not run: %w", id, errdefs.ErrNotFound)
	}
	return c.last, nil
}
