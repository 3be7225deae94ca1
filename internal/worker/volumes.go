package worker

import (
	"context"
	"slices"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// saveWithin bounds how long the volumes of a container that has stopped are
// being saved: a registry that is away for longer gets no copy, and what is in
// the volume stays on the node.
const saveWithin = 15 * time.Minute

// saveVolumes makes what a stopped container has written to its named volumes
// durable, and has it copied where the job says. It comes after every stop and
// before every remove. A volume that is not copied says why.
func (w *Worker) saveVolumes(ctx context.Context, id runtime.ContainerID, of runtime.Owner, spec *messages.Spec, within time.Duration) []messages.VolumeBytes {
	if !hasVolumes(spec) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	opts := runtime.SyncOptions{Auth: w.authOf(of, spec)}
	volumes, err := persistFor(ctx, w, within, "save the volumes of "+id.String(), func() ([]messages.VolumeBytes, error) {
		return w.cfg.Runtime.SyncVolumes(ctx, id, opts)
	})
	if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsNotImplemented(err) && w.ctx.Err() == nil {
		w.log.Error("volumes were not saved; what is in them stays on this node", "container", id.String(), "error", err)
	}
	return volumes
}

// authOf are the credentials that came with the job of a container; nil, the
// node's own, when they are not needed or not known any more.
func (w *Worker) authOf(of runtime.Owner, spec *messages.Spec) *messages.RegistryAuth {
	if !spec.HasCopies() {
		return nil
	}
	a, err := w.cfg.Journal.Attempt(of.Job, of.Attempt)
	if err != nil || a.Job.Spec == nil {
		return nil
	}
	auth, err := w.cfg.Key.Open(&a.Job)
	if err != nil {
		w.log.Warn("the credentials that came with a job cannot be read", "job", of.Job, "error", err)
	}
	return auth
}

// hasVolumes tells whether a container has named volumes.
func hasVolumes(spec *messages.Spec) bool {
	return spec != nil && slices.ContainsFunc(spec.Mounts, func(m messages.Mount) bool { return m.Type == messages.MountVolume })
}

// saveIdle saves the volumes of a container if it does not run or, with force,
// once it has been killed for that.
func (w *Worker) saveIdle(ctx context.Context, id runtime.ContainerID, force bool) []messages.VolumeBytes {
	d, err := w.cfg.Runtime.Inspect(ctx, id)
	if err != nil || !hasVolumes(d.Spec) {
		return nil
	}
	if !d.State.Phase.Ended() && d.State.Phase != runtime.PhasePending {
		if !force || w.cfg.Runtime.Stop(ctx, id, 0) != nil {
			return nil
		}
	}
	return w.saveVolumes(ctx, id, d.Owner, d.Spec, saveWithin)
}
