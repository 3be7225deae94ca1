package worker

import (
	"context"
	"errors"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// abandoned cleans up after an attempt that goes no further here: one that was
// revoked is stopped and removed before that is confirmed, one whose lease is
// over is stopped.
func (w *Worker) abandoned(ctx context.Context, at *active, id runtime.ContainerID, err error) error {
	cause := context.Cause(ctx)
	revoked := errors.Is(cause, errRevoked)
	if !revoked && !errors.Is(cause, errLeaseOver) {
		if hasVolumes(at.Job.Spec) {
			at.volumes = w.saveIdle(ctx, id, false)
		}
		return err
	}
	d, e := persistFor(w.ctx, w, 0, "look for container "+id.String(), func() (runtime.Details, error) {
		return w.cfg.Runtime.Inspect(w.ctx, id)
	})
	switch {
	case errdefs.IsNotFound(e), e == nil && d.Owner != owner(at):
		return cause // it made none, and the name is another's
	case e == nil && revoked:
		at.volumes, e = w.stopAndRemove(w.ctx, id, d.Owner, d.Spec)
	case e == nil:
		if e = w.stopCutOff(at, id, d.State.Phase); e == nil {
			at.volumes = w.saveVolumes(w.ctx, id, d.Owner, d.Spec, w.cfg.RetryFor)
		}
	}
	if e != nil {
		return e
	}
	return cause
}

// stopCutOff ends a container whose lease runs out. One that was not started
// goes, so that no start of it that is under way can succeed.
func (w *Worker) stopCutOff(at *active, id runtime.ContainerID, phase runtime.Phase) error {
	_, err := persistFor(w.ctx, w, 0, "stop container "+id.String(), func() (struct{}, error) {
		if phase == runtime.PhasePending || phase == runtime.PhaseInitializing {
			return struct{}{}, w.cfg.Runtime.Remove(w.ctx, id, runtime.RemoveOptions{Force: true, Volumes: true})
		}
		return struct{}{}, w.cfg.Runtime.Stop(w.ctx, id, at.graceCutOff())
	})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
