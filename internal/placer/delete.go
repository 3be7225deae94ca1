package placer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// deleteRecord deletes the record of a job on which the last word has been said.
// revision is that of the record, or of the one it was made from. If somebody
// has written since, that was another life of the job, which goes on, or it was
// a placer that did not know of the end: then what it handed over is owed a
// revoke.
func (p *Placer) deleteRecord(ctx context.Context, rec *messages.Record, revision uint64) error {
	if revision == 0 {
		return nil // there never was one
	}
	job := rec.Job.ID
	for range conflicts {
		err := p.jobs.Delete(ctx, job, revision)
		if err == nil || errors.Is(err, bus.ErrNotFound) {
			p.records.deleted(job, revision)
			return nil
		}
		if !errors.Is(err, bus.ErrConflict) {
			return fmt.Errorf("job %s: delete its record: %w", job, err)
		}
		now, current, err := p.stored(ctx, job)
		switch {
		case err != nil:
			return err
		case now == nil:
			p.records.drop(job, revision)
			return nil
		case now.Retries > rec.Retries:
			p.forgetCopy(job)
			return nil
		}
		owing := p.owing(rec, now)
		if len(owing.Fences) == 0 {
			revision = current
			continue
		}
		at, err := p.writeRecord(ctx, job, owing, current)
		if err == nil {
			p.log.Warn("a job that has ended was handed over by another placer; that is revoked", "job", job)
			return p.perform(ctx, deed{job: job, rec: owing, revision: at}, placement.Due(owing))
		}
		if !errors.Is(err, bus.ErrConflict) {
			return err
		}
		revision = current
	}
	return fmt.Errorf("job %s: its ended record is written again and again", job)
}

// owing is the ended record with a revoke owed for every attempt that another
// placer has handed over in the record now, not knowing of the end: each of them
// may be alive.
func (p *Placer) owing(ended, now *messages.Record) *messages.Record {
	given := now.Fences
	if now.State == messages.StateAssigned || now.State == messages.StateRunning || now.State == messages.StateCancelling {
		given = append(given[:len(given):len(given)], messages.Fence{Node: now.Node, Attempt: now.Attempt})
	}
	if s := now.Successor; s != nil {
		given = append(given[:len(given):len(given)], messages.Fence{Node: s.Node, Attempt: s.Attempt})
	}
	for _, f := range given {
		alive := messages.Outcome{
			V: messages.Version, Job: ended.Job.ID, Op: ended.Job.Op, Node: f.Node, Attempt: f.Attempt,
			Status: messages.StatusAccepted, At: time.Now(),
		}
		ended, _ = placement.Next(ended, placement.Reported{Outcome: alive}, p.fleet.snapshot(), time.Now())
	}
	return ended
}
