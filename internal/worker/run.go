package worker

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// run pulls, creates, starts and supervises: the op that makes a container and
// sees it to its end. A worker that takes it up after another goes on where that one
// was.
func (w *Worker) run(ctx context.Context, at *active, resumed bool) (*messages.Result, error) {
	id := containerID(&at.Job)
	started := false
	if resumed {
		var err error
		if started, err = w.begun(ctx, at, id, false); err != nil {
			return nil, w.abandoned(ctx, at, id, err)
		}
	}
	if !started {
		if err := w.launch(ctx, at, id); err != nil {
			return nil, w.abandoned(ctx, at, id, err)
		}
	}
	at.place.leave() // what is asked of the container from here on has one
	sup := w.supervisor(at, id)
	out, err := sup.run(ctx)
	result := sup.result
	if errdefs.IsNotFound(err) && at.Supervision.Stopped {
		return result, nil // it was removed, by force
	}
	if err != nil {
		return result, w.abandoned(ctx, at, id, err)
	}
	result.ExitCode, result.ExitReason = &out.ExitCode, out.Reason
	result.FinishedAt = out.FinishedAt
	at.volumes = w.saveVolumes(ctx, id, owner(at), at.Job.Spec, saveWithin)
	if ctx.Err() != nil { // given up meanwhile
		return result, w.abandoned(ctx, at, id, context.Cause(ctx))
	}
	if out.Reason == messages.ExitRuntimeError && !at.Supervision.Stopped {
		return result, lost(at, id)
	}
	return result, nil
}

// lost is the error of a job whose container went with a crash. It may have done
// all it had to, so only one that may be done twice is tried again.
func lost(at *active, id runtime.ContainerID) error {
	return &messages.Error{
		Code: messages.CodeAborted, Retryable: at.Job.Policy.Idempotent,
		Message: fmt.Sprintf("how container %s ended is not known: the runtime, or the machine, crashed meanwhile", id),
	}
}

// begun finds out how far the worker before this one had come: whether the
// container was started. That it may have been, and cannot be told, is an
// interruption, unless the job may be done twice. refused says that it is this
// worker whose start has failed, so that none is under way.
func (w *Worker) begun(ctx context.Context, at *active, id runtime.ContainerID, refused bool) (bool, error) {
	// Without an answer nothing may be said: the container may be running.
	d, err := persistFor(ctx, w, 0, "look for container "+id.String(), func() (runtime.Details, error) {
		return w.cfg.Runtime.Inspect(ctx, id)
	})
	ours := err == nil && d.Owner == owner(at)
	switch {
	case err != nil && !errdefs.IsNotFound(err):
		return false, err
	case ours && hasRun(&d):
		return true, nil
	case at.Phase == journal.PhaseAccepted || at.Job.Policy.Idempotent || ours && neverRan(&d, refused):
		if ours {
			err = w.cfg.Runtime.Remove(ctx, id, runtime.RemoveOptions{Force: true, Volumes: true})
		} else {
			err = nil
		}
		return false, err
	}
	return false, fmt.Errorf("%w: the worker ended while it started %s, and whether that ran cannot be told", errCutOff, id)
}

// hasRun tells whether a container's program runs, or has.
func hasRun(d *runtime.Details) bool {
	switch d.State.Phase {
	case runtime.PhasePending, runtime.PhaseInitializing:
		return false
	case runtime.PhaseFailed:
		return !d.StartedAt.IsZero()
	}
	return true
}

// neverRan tells whether it is certain that it has not, and will not.
func neverRan(d *runtime.Details, refused bool) bool {
	return d.State.Phase == runtime.PhasePending && refused || d.State.Phase == runtime.PhaseFailed && d.StartedAt.IsZero()
}

// launch makes the container and starts it.
func (w *Worker) launch(ctx context.Context, at *active, id runtime.ContainerID) error {
	if err := w.create(ctx, at, id); err != nil {
		return err
	}
	if underLease(&at.Job) {
		if err := w.guarded(ctx, at, id); err != nil {
			return err
		}
	}
	if err := w.mark(at); err != nil {
		return err
	}
	if underLease(&at.Job) {
		// The machine may have slept since the job was accepted.
		if w.leases.endDueNow(); ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	if err := w.start(ctx, at, id); err != nil {
		return fmt.Errorf("start %s: %w", id, err)
	}
	w.tell(messages.EventStarted, &at.Attempt, "")
	return nil
}

// start starts the container. A runtime that went away meanwhile may have
// started it all the same.
func (w *Worker) start(ctx context.Context, at *active, id runtime.ContainerID) error {
	err := w.cfg.Runtime.Start(ctx, id)
	if err == nil || !runtime.Retryable(err) {
		return err
	}
	w.log.Warn("whether a container was started is not known; looking", "container", id.String(), "error", err)
	started, e := w.begun(ctx, at, id, true)
	if e != nil {
		return e
	}
	if started {
		return nil
	}
	return err // the job may be done twice
}

// create pulls the image to the runtime that takes the job, and makes the
// container there.
func (w *Worker) create(ctx context.Context, at *active, id runtime.ContainerID) error {
	spec := *at.Job.Spec
	spec.RegistryAuth = nil // it was for the pull
	d, err := w.decide(ctx, at)
	if err != nil {
		return err
	}
	if _, err := w.pull(ctx, at, spec.Image, runtime.PullOptions{Policy: spec.Pull, Platform: d.Platform}); err != nil {
		return fmt.Errorf("pull %s: %w", spec.Image, err)
	}
	w.tell(messages.EventPulled, &at.Attempt, spec.Image)
	opts := runtime.CreateOptions{Owner: owner(at), Platform: d.Platform}
	err = w.createFrom(ctx, at, id, &spec, opts)
	if errdefs.IsAlreadyExists(err) {
		if err = w.makeRoom(ctx, at, id); err == nil {
			err = w.createFrom(ctx, at, id, &spec, opts)
		}
	}
	if err != nil {
		return fmt.Errorf("create %s: %w", id, err)
	}
	w.tell(messages.EventCreated, &at.Attempt, "")
	return nil
}

// decide is where the attempt's container is to run: as admission has just
// found, or else found out now.
func (w *Worker) decide(ctx context.Context, at *active) (runtime.Decision, error) {
	if d := at.decided; d != nil {
		at.decided = nil
		return *d, nil
	}
	auth, err := w.cfg.Key.Open(&at.Job)
	if err != nil {
		return runtime.Decision{}, err
	}
	spec := at.Job.Spec
	return persist(ctx, w, "learn where "+spec.Image+" runs", func() (runtime.Decision, error) {
		return w.cfg.Runtime.Decide(ctx, at.Job.EffectiveService(), spec, auth)
	})
}

// makeRoom removes what an ended attempt left under the container's name, be it
// that it could not start it; a container that is somebody's stays, and the name
// is taken.
func (w *Worker) makeRoom(ctx context.Context, at *active, id runtime.ContainerID) error {
	d, err := w.cfg.Runtime.Inspect(ctx, id)
	if errdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	holder := w.attempts.get(journal.Key{Job: d.Owner.Job, Attempt: d.Owner.Attempt})
	idle := d.State.Phase.Ended() || d.State.Phase == runtime.PhasePending && d.Owner.Job == at.Job.ID && d.Owner.Attempt < at.Job.Attempt
	if holder != nil && holder != at || !idle && d.Owner != owner(at) {
		return fmt.Errorf("container %s belongs to job %s, attempt %d: %w", id, d.Owner.Job, d.Owner.Attempt, errdefs.ErrAlreadyExists)
	}
	w.saveVolumes(ctx, id, d.Owner, d.Spec, saveWithin)
	err = w.cfg.Runtime.Remove(ctx, id, runtime.RemoveOptions{Force: true, Volumes: true})
	if errdefs.IsNotFound(err) {
		return nil // it was being removed already
	}
	return err
}

// createFrom makes the container. The registry that a volume comes from may be
// away for a while, as that of the image may.
func (w *Worker) createFrom(ctx context.Context, at *active, id runtime.ContainerID, spec *messages.Spec, opts runtime.CreateOptions) error {
	if !spec.HasCopies() {
		return w.cfg.Runtime.Create(ctx, id, spec, opts)
	}
	var err error
	if opts.Auth, err = w.cfg.Key.Open(&at.Job); err != nil {
		return err
	}
	_, err = persist(ctx, w, "create "+id.String(), func() (struct{}, error) {
		return struct{}{}, w.cfg.Runtime.Create(ctx, id, spec, opts)
	})
	return err
}

// tidy removes the container of an attempt that has ended, once it has been
// kept for as long as the job wants, and all of seen are closed.
func (w *Worker) tidy(a *journal.Attempt, seen ...<-chan struct{}) {
	if a.Job.Op != messages.OpRun {
		return
	}
	id := containerID(&a.Job)
	keep := time.Until(a.Ended.Add(a.Job.Retain.Std()))
	w.work.Go(func() {
		select {
		case <-w.ctx.Done():
			return
		case <-time.After(keep):
		}
		for _, one := range seen {
			select {
			case <-w.ctx.Done():
				return
			case <-one:
			}
		}
		_, err := persistFor(w.ctx, w, 0, "remove container "+id.String(), func() (struct{}, error) {
			d, err := w.cfg.Runtime.Inspect(w.ctx, id)
			if err == nil && (d.Owner.Job != a.Job.ID || d.Owner.Attempt != a.Job.Attempt) {
				err = errdefs.ErrNotFound // it is another's by now
			}
			if err != nil {
				return struct{}{}, err
			}
			return struct{}{}, w.cfg.Runtime.Remove(w.ctx, id, runtime.RemoveOptions{Force: true, Volumes: true})
		})
		if errdefs.IsNotFound(err) || w.ctx.Err() != nil {
			return
		}
		if err != nil {
			w.log.Warn("an ended container was not removed", "container", id.String(), "error", err)
			return
		}
		w.tell(messages.EventRemoved, a, "")
	})
}

func containerID(job *messages.Job) runtime.ContainerID {
	return runtime.ContainerID{Service: job.EffectiveService(), Replica: job.Replica}
}

func owner(at *active) runtime.Owner {
	return runtime.Owner{Job: at.Job.ID, Attempt: at.Job.Attempt}
}
