package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// unguarded tells whether nobody could end what a member of the runtime runs, if
// the worker were gone.
func (w *Worker) unguarded(member string) bool { return slices.Contains(w.cfg.Unguarded, member) }

func unguardedReason(member string) string {
	return fmt.Sprintf("on_partition is stop, and what the %s runtime of this node runs would go on without its worker: no guard reaches it", member)
}

// guarded makes sure, before the container is started, that it is under the
// lease: where it would run may not have been known when the job was accepted.
func (w *Worker) guarded(ctx context.Context, at *active, id runtime.ContainerID) error {
	if len(w.cfg.Unguarded) == 0 {
		return nil
	}
	d, err := w.cfg.Runtime.Inspect(ctx, id)
	if err != nil || !w.unguarded(d.Runtime) {
		return err
	}
	verdict := &runtime.RouteToPeerError{
		Service: at.Job.EffectiveService(), Code: messages.RefusePolicy, Reason: unguardedReason(d.Runtime),
	}
	return errors.Join(verdict, w.cfg.Runtime.Remove(ctx, id, runtime.RemoveOptions{Force: true, Volumes: true}))
}
