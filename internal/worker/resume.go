package worker

import (
	"errors"
	"fmt"
	"slices"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// resume takes up the attempts that the worker before this one had not ended.
// Each goes on by itself; how far it had come is found out from the runtime.
func (w *Worker) resume() error {
	open, err := w.cfg.Journal.Open()
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	slices.SortStableFunc(open, func(a, b journal.Attempt) int { return a.Accepted.Compare(b.Accepted) })
	attempts := make([]*active, len(open))
	for i, a := range open {
		attempts[i] = newActive(a)
		attempts[i].place = w.lines.joinFor(&a.Job)
		w.attempts.resume(attempts[i])
	}
	if err := w.leases.restore(attempts); err != nil {
		return err
	}
	for _, at := range attempts {
		w.log.Info("taking up a job", "job", at.Job.ID, "attempt", at.Job.Attempt, "phase", at.Phase)
		w.work.Go(func() { w.carryOut(at, true) })
	}
	w.work.Go(w.tidyAll)
	return nil
}

// tidyAll sees to the containers of attempts that had ended before the worker
// did: with each of the runtimes as soon as it is there.
func (w *Worker) tidyAll() {
	seen := map[runtime.ContainerID]bool{}
	_, err := persistFor(w.ctx, w, 0, "list containers", func() (struct{}, error) {
		held, missing, err := w.cfg.Runtime.ListMembers(w.ctx)
		if err != nil {
			return struct{}{}, err
		}
		if len(seen) == 0 {
			w.holds(w.attempts.look(), held)
		}
		for i := range held {
			if !seen[held[i].ID] {
				seen[held[i].ID] = true
				w.tidyOld(&held[i])
			}
		}
		if len(missing) > 0 {
			return struct{}{}, missing[0]
		}
		return struct{}{}, nil
	})
	if err != nil && w.ctx.Err() == nil {
		w.log.Warn("containers that ended before the worker did are not removed", "error", err)
	}
}

// tidyOld removes the container of an attempt that has ended. A container that
// the journal does not know is somebody's: it is reported, and stays.
func (w *Worker) tidyOld(c *runtime.Container) {
	a, err := w.cfg.Journal.Attempt(c.Owner.Job, c.Owner.Attempt)
	switch {
	case errors.Is(err, journal.ErrNotFound):
		w.log.Warn("a container belongs to an attempt that the journal does not know; it is left alone",
			"container", c.ID.String(), "job", c.Owner.Job, "attempt", c.Owner.Attempt, "state", c.State.Phase)
	case err != nil:
		w.log.Warn("the journal cannot be read", "error", err)
	case a.Phase == journal.PhaseEnded:
		w.tidy(&a)
	}
}
