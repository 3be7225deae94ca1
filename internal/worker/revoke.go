package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// revoke stops, removes and fences every attempt of a job up to the one named,
// and remembers that, so that a late command for one of them is refused even if
// the job was never heard of. A repeat gets the first one's answer.
func (w *Worker) revoke(ctx context.Context, job messages.Job) (messages.Outcome, error) {
	upTo := job.Args.Attempt
	stopped := false
	for _, at := range w.attempts.ofJob(job.ID, upTo) {
		at.giveUp(errRevoked)
		select {
		case <-at.done:
			stopped = true
		case <-ctx.Done():
			return messages.Outcome{}, unavailable(ctx.Err())
		}
	}
	a := journal.Attempt{Job: job, Phase: journal.PhaseEnded, Accepted: time.Now(), Ended: time.Now()}
	a.Job.Attempt = upTo
	before, err := w.cfg.Journal.Attempt(job.ID, upTo)
	switch {
	case err == nil && before.Last.Status == messages.StatusRevoked:
		return *before.Last, nil
	case err == nil:
		a.Last, a.Fingerprint, a.Direct = before.Last, fingerprintOf(&before), before.Direct
	case !errors.Is(err, journal.ErrNotFound):
		return messages.Outcome{}, unavailable(err)
	}
	found, err := w.removeOwned(ctx, job.ID, upTo)
	if err != nil {
		return messages.Outcome{}, unavailable(err)
	}
	stopped = stopped || found
	o := w.outcome(&a, messages.StatusRevoked)
	o.Result = &messages.Result{Stopped: &stopped}
	a.Last = &o
	if err := w.cfg.Journal.Write(a, o); err != nil {
		return messages.Outcome{}, unavailable(err)
	}
	w.queued()
	w.tell(messages.EventRevoked, &a, fmt.Sprintf("every attempt up to %d", upTo))
	return o, nil
}

// removeOwned removes the containers of a job's attempts that nobody carries
// out: those of a journal that was lost are known by their labels alone.
func (w *Worker) removeOwned(ctx context.Context, job string, upTo uint64) (found bool, err error) {
	held, err := w.cfg.Runtime.List(ctx)
	if err != nil {
		return false, fmt.Errorf("look for containers of job %s: %w", job, err)
	}
	for _, c := range held {
		if c.Owner.Job != job || c.Owner.Attempt > upTo {
			continue
		}
		found = true
		d, err := w.cfg.Runtime.Inspect(ctx, c.ID)
		if err == nil {
			_, err = w.stopAndRemove(ctx, c.ID, d.Owner, d.Spec)
		}
		if err != nil && !errdefs.IsNotFound(err) {
			return found, err
		}
	}
	return found, nil
}

// stopAndRemove ends a container in good order, or else by force. Its volumes are
// saved in between.
func (w *Worker) stopAndRemove(ctx context.Context, id runtime.ContainerID, of runtime.Owner, spec *messages.Spec) ([]messages.VolumeBytes, error) {
	within, cancel := context.WithTimeout(ctx, revokeWithin)
	defer cancel()
	if err := w.cfg.Runtime.Stop(within, id, -1); err != nil && !errdefs.IsNotFound(err) {
		w.log.Warn("a revoked container was not stopped in good order; it is killed", "container", id.String(), "error", err)
	}
	volumes := w.saveVolumes(ctx, id, of, spec, saveWithin)
	_, err := persistFor(ctx, w, 0, "remove the revoked container "+id.String(), func() (struct{}, error) {
		return struct{}{}, w.cfg.Runtime.Remove(ctx, id, runtime.RemoveOptions{Force: true, Volumes: true})
	})
	if err != nil && !errdefs.IsNotFound(err) {
		return volumes, fmt.Errorf("remove the revoked container %s: %w", id, err)
	}
	w.attempts.release(id)
	return volumes, nil
}

// revokeWithin bounds how long a revoked container may take to stop.
const revokeWithin = time.Minute
