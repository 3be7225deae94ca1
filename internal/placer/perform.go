package placer

import (
	"context"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// deed is what apply has done about a job, for its effects: the record as it was
// and is, and the event that led from the one to the other.
type deed struct {
	job      string
	ev       placement.Event // nil: the record is taken up
	was, rec *messages.Record
	revision uint64 // of rec, or of the record it was made from when it was not written
	wrote    bool
}

// first tells whether nobody can have sent the command before: the attempt was
// handed over by the write that has just been made.
func (d *deed) first(c placement.Command) bool {
	return d.wrote && (d.was == nil || c.Attempt > d.was.LastAttempt())
}

// ends tells whether the event has ended the job: it had not ended before.
func (d *deed) ends() bool {
	return d.ev != nil && (d.was == nil || !d.was.State.Ended())
}

// perform starts a record's effects in their order. Those that must be done
// before the event is acknowledged are done when it returns; what waits for
// others goes on beside the lanes, and the record sees to it that it is not
// forgotten. What goes to one node goes there in order, too: a command comes
// after the revoke of an older attempt has been answered, since both are about
// the container of one name.
func (p *Placer) perform(ctx context.Context, d deed, effects []placement.Effect) error {
	errands := errands{}
	defer p.run(errands)
	for _, effect := range effects {
		var err error
		switch e := effect.(type) {
		case placement.Claim:
			p.records.try(d.job, time.Now())
			p.beside(func(ctx context.Context) { p.claim(ctx, d.rec, e.Take) })
		case placement.Locate:
			p.records.try(d.job, time.Now())
			p.beside(func(ctx context.Context) { p.locate(ctx, d.rec) })
		case placement.Supersede:
			p.records.try(d.job, time.Now())
			p.beside(func(ctx context.Context) { p.supersede(ctx, d.job, e) })
		case placement.Command:
			p.records.try(d.job, time.Now())
			if d.first(e) {
				p.fleet.reserve(e.Node, &d.rec.Job, e.Attempt, time.Now())
			}
			p.prepare(errands, d, e)
		case placement.Revoke:
			p.records.try(d.job, time.Now())
			if p.fleet.answers(e.Node) {
				errands.add(e.Node, func(ctx context.Context) bool { return ctx.Err() == nil && p.revoke(ctx, d.rec, e) })
			}
		case placement.Finish:
			err = p.finish(ctx, &d)
			p.nextInLine(&d.rec.Job)
		case placement.Delete:
			err = p.deleteRecord(ctx, d.rec, d.revision)
			p.nextInLine(&d.rec.Job)
		case placement.Repeat:
			err = p.repeat(ctx, d.rec)
		case placement.Reject:
			err = p.refuse(ctx, d, e.Error)
		case placement.Tell:
			p.tell(ctx, d.job, d.rec, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// supersede asks for the end of the job whose name another one takes over.
func (p *Placer) supersede(ctx context.Context, job string, e placement.Supersede) {
	rec, err := p.liveRecord(ctx, e.Job, "")
	switch {
	case err != nil:
		if ctx.Err() == nil {
			p.log.Warn("a job that is replaced could not be asked to end; it is tried again", "job", e.Job, "by", job, "error", err)
		}
	case rec != nil && rec.Retries <= e.Life:
		p.bring(e.Job, placement.Replaced{By: job, Life: e.Life, Next: e.Next})
	default:
		p.bring(job, placement.Superseded{Job: e.Job, Life: e.Life})
	}
}

// finish says the last word on a job's life, and lets go of its name. The first
// word wins, so however many placers get here, it is said once.
func (p *Placer) finish(ctx context.Context, d *deed) error {
	rec := d.rec
	said, err := p.sayDone(ctx, rec, d.ends() && rec.Retries == 0)
	if err == nil && rec.State == messages.StateDead {
		err = p.sayDead(ctx, rec, said)
	}
	if err != nil {
		return err
	}
	return p.releaseName(ctx, rec, d.revision)
}

// reject answers a job that cannot be taken.
func (p *Placer) reject(ctx context.Context, job string, op messages.Op, e messages.Error) error {
	if !op.Known() {
		op = "" // as far as it could be read
	}
	outcome := messages.Outcome{
		V: messages.Version, Job: job, Op: op, Node: messages.PlacerNode, Seq: 1,
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

// refuse answers whoever asked for what cannot be done: a verb by an error, a
// scheduler on the job's outcomes.
func (p *Placer) refuse(ctx context.Context, d deed, e messages.Error) error {
	switch ev := d.ev.(type) {
	case placement.RetryAsked:
		return &e
	case placement.Submitted:
		return p.reject(ctx, d.job, ev.Job.Op, e)
	}
	return p.reject(ctx, d.job, "", e)
}

// tell publishes an event; nobody depends on it.
func (p *Placer) tell(ctx context.Context, job string, rec *messages.Record, t placement.Tell) {
	ev := messages.Event{
		V: messages.Version, At: time.Now(), Node: messages.PlacerNode, Kind: t.Kind,
		Job: job, Message: t.Message,
	}
	if rec != nil {
		ev.Attempt = rec.Attempt
	}
	data, err := messages.Encode(ev)
	if err == nil {
		err = p.cfg.Bus.Publish(ctx, bus.Message{Subject: p.cfg.Root.Event(messages.PlacerNode, t.Kind), Data: data})
	}
	if err != nil {
		p.log.Debug("an event was not published", "kind", t.Kind, "error", err)
	}
}
