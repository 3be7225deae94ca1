package placer

import (
	"context"
	"errors"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// over tells whether a live record is that of a task on which the last word has
// been said: a task that is done is ended without its record being written (see
// done), and whoever said so may have been cut off before it was deleted. Such a
// record must not hand the task over once more, and what it has handed over is
// revoked. over ends it. It reads the stream only for the rare events that could
// do that harm.
func (p *Placer) over(ctx context.Context, rec *messages.Record, revision uint64, ev placement.Event) (bool, error) {
	if rec == nil || revision == 0 || rec.State.Ended() || !mayRevive(rec, ev) {
		return false, nil
	}
	job := rec.Job.ID
	word, err := p.ended(ctx, job)
	if err != nil || word == nil || word.Retries != rec.Retries {
		return false, err
	}
	p.log.Info("a job that has ended is still recorded", "job", job, "state", rec.State, "node", rec.Node, "attempt", rec.Attempt)
	owing := p.owing(word, rec)
	if len(owing.Fences) == 0 {
		return true, p.deleteRecord(ctx, word, revision)
	}
	at, err := p.writeRecord(ctx, job, owing, revision)
	if errors.Is(err, bus.ErrConflict) {
		p.forgetCopy(job)
	}
	if err != nil {
		return true, err // the event comes again
	}
	return true, p.perform(ctx, deed{job: job, ev: ev, was: rec, rec: owing, revision: at, wrote: true}, placement.Due(owing))
}

// mayRevive tells whether an event hands a task over that may be done already,
// or is the word of an attempt before the one that is recorded.
func mayRevive(rec *messages.Record, ev placement.Event) bool {
	if rec.Job.EffectiveKind() != messages.KindTask {
		return false
	}
	switch ev := ev.(type) {
	case placement.Unheard, placement.NodeForgotten: // before a NodeLost the node is heard out
		return rec.State != messages.StatePending
	case placement.Reported:
		return ev.Outcome.Status == messages.StatusCompleted && ev.Outcome.Attempt < rec.LastAttempt()
	}
	return false
}
