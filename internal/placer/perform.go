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

// perform starts a record's effects in their order. Those that must be done
// before the event is acknowledged are done when it returns; commands and
// revokes go on beside the lanes, and the record sees to it that they are not
// forgotten. first says that nobody can have sent the record's command before.
func (p *Placer) perform(ctx context.Context, job string, rec *messages.Record, revision uint64, effects []placement.Effect, first bool) error {
	for _, effect := range effects {
		var err error
		switch e := effect.(type) {
		case placement.Command:
			p.records.try(job, time.Now())
			p.beside(func(ctx context.Context) { p.command(ctx, rec, e, first) })
		case placement.Revoke:
			p.records.try(job, time.Now())
			p.beside(func(ctx context.Context) { p.revoke(ctx, rec, e) })
		case placement.Finish:
			err = p.finish(ctx, rec)
		case placement.Delete:
			err = p.deleteRecord(ctx, job, revision)
		case placement.Repeat:
			err = p.repeat(ctx, rec)
		case placement.Reject:
			err = p.reject(ctx, job, e.Error)
		case placement.Tell:
			p.tell(ctx, rec, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// finish says the last word on a job. The first word on the subject wins, so
// however many placers get here, it is said once.
func (p *Placer) finish(ctx context.Context, rec *messages.Record) error {
	said, err := p.sayDone(ctx, rec)
	if err != nil || rec.State != messages.StateDead {
		return err
	}
	return p.sayDead(ctx, rec, said)
}

// deleteRecord deletes the record of a job whose last word has been said. If it
// was written since, by a placer that did not know, that writing was void.
func (p *Placer) deleteRecord(ctx context.Context, job string, revision uint64) error {
	if revision == 0 {
		return nil // there never was one
	}
	for range conflicts {
		err := p.jobs.Delete(ctx, job, revision)
		if err == nil || errors.Is(err, bus.ErrNotFound) {
			p.records.deleted(job, revision)
			return nil
		}
		if !errors.Is(err, bus.ErrConflict) {
			return fmt.Errorf("job %s: delete its record: %w", job, err)
		}
		now, err := p.jobs.Get(ctx, job)
		if errors.Is(err, bus.ErrNotFound) {
			p.records.drop(job, revision)
			return nil
		}
		if err != nil {
			return fmt.Errorf("job %s: read its record: %w", job, err)
		}
		revision = now.Revision
	}
	return fmt.Errorf("job %s: its ended record is written again and again", job)
}

// reject answers a job that cannot be taken.
func (p *Placer) reject(ctx context.Context, job string, e messages.Error) error {
	outcome := messages.Outcome{
		V: messages.Version, Job: job, Node: messages.PlacerNode, Seq: 1,
		Status: messages.StatusRejected, At: time.Now(), Error: &e,
	}
	data, err := messages.Encode(outcome)
	if err != nil {
		return err
	}
	subject := p.cfg.Root.Outcome(messages.PlacerNode, job)
	if _, err := p.cfg.Bus.Append(ctx, bus.Message{Subject: subject, Data: data}); err != nil {
		return fmt.Errorf("publish on %s: %w", subject, err)
	}
	p.log.Info("rejected", "job", job, "code", e.Code, "field", e.Field, "reason", e.Message)
	return nil
}

// tell publishes an event; nobody depends on it.
func (p *Placer) tell(ctx context.Context, rec *messages.Record, t placement.Tell) {
	ev := messages.Event{
		V: messages.Version, At: time.Now(), Node: messages.PlacerNode, Kind: t.Kind,
		Job: rec.Job.ID, Attempt: rec.Attempt, Message: t.Message,
	}
	data, err := messages.Encode(ev)
	if err == nil {
		err = p.cfg.Bus.Publish(ctx, bus.Message{Subject: p.cfg.Root.Event(messages.PlacerNode, t.Kind), Data: data})
	}
	if err != nil {
		p.log.Debug("an event was not published", "kind", t.Kind, "error", err)
	}
}
