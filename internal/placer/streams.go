package placer

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// redeliverAfter is how soon a message that could not be handled comes again.
const redeliverAfter = time.Second

// ackWait is how long a message is left to a placer that may have died with it.
// One that is only slow sees it handled twice, which does no harm.
const ackWait = 10 * time.Second

// consumeIntake takes in jobs and cancels.
func (p *Placer) consumeIntake(ctx context.Context) (bus.Subscription, error) {
	root := p.cfg.Root
	return p.cfg.Bus.Consume(ctx, bus.Consumer{Stream: root.Stream(messages.StreamIntake), Name: bus.ConsumerIntake, AckWait: ackWait}, func(d bus.Delivery) {
		m := d.Message()
		job := root.Token(m.Subject, 1)
		if strings.HasPrefix(m.Subject, root.Cancel("")) {
			p.handle(d, job, func(ctx context.Context) error { return p.takeCancel(ctx, job, d.Sequence(), m.Data) })
			return
		}
		p.handle(d, job, func(ctx context.Context) error { return p.takeJob(ctx, job, d.Sequence(), m.Data) })
	})
}

// consumeOutcomes takes in what workers say of their attempts.
func (p *Placer) consumeOutcomes(ctx context.Context) (bus.Subscription, error) {
	root := p.cfg.Root
	return p.cfg.Bus.Consume(ctx, bus.Consumer{Stream: root.Stream(messages.StreamOutcomes), Name: bus.ConsumerOutcomes, AckWait: ackWait}, func(d bus.Delivery) {
		m := d.Message()
		node, job := root.Token(m.Subject, 1), root.Token(m.Subject, 2)
		p.handle(d, job, func(ctx context.Context) error { return p.takeOutcome(ctx, node, job, m.Data) })
	})
}

// handle runs take in the job's lane and acknowledges the delivery when it has
// done what must not be lost; else the delivery comes again.
func (p *Placer) handle(d bus.Delivery, job string, take func(context.Context) error) {
	p.lanes.put(job, func() {
		err := take(p.ctx)
		if errors.Is(err, errNoRecord) {
			err = p.noRecord(p.ctx, d, job)
		}
		if err == nil {
			err = d.Ack(p.ctx)
		} else if laterErr := d.Later(redeliverAfter); laterErr != nil {
			p.log.Debug("a redelivery comes when its time is over", "job", job, "error", laterErr)
		}
		if err != nil && p.ctx.Err() == nil {
			p.log.Warn("a message was not handled and comes again", "subject", d.Message().Subject, "error", err)
		}
	})
}

// takeJob brings a job from intake, where it has that sequence, to its record, or
// answers what is wrong with it.
func (p *Placer) takeJob(ctx context.Context, id string, order uint64, data []byte) error {
	job, err := messages.Decode[messages.Job](data)
	if err == nil {
		err = job.CheckSubjectJob(id)
	}
	if err != nil {
		return p.reject(ctx, id, job.Op, *messages.AsError(err))
	}
	fingerprint, err := messages.Fingerprint(data)
	if err != nil {
		return p.reject(ctx, id, job.Op, *messages.AsError(err))
	}
	if err := p.checkAuth(ctx, &job); err != nil {
		said, ok := errors.AsType[*messages.Error](err)
		if !ok {
			return err
		}
		// The same job again gets the record's answer again, even if the key is
		// another by now.
		if _, err := p.find(ctx, id); isCode(err, messages.CodeNotFound) {
			return p.reject(ctx, id, job.Op, *said)
		} else if err != nil {
			return err
		}
	}
	return p.apply(ctx, id, placement.Submitted{Job: job, Fingerprint: fingerprint, Order: order})
}

// takeCancel brings a cancel from intake, where it has that sequence, to its job,
// or answers that there is none.
func (p *Placer) takeCancel(ctx context.Context, id string, order uint64, data []byte) error {
	cancel, err := messages.DecodeRequest[messages.Cancel](data)
	if err == nil {
		err = messages.CheckToken("job", id)
	}
	if err != nil {
		return p.reject(ctx, id, "", *messages.AsError(err))
	}
	return p.apply(ctx, id, placement.CancelAsked{Reason: cancel.Reason, Order: order})
}

// takeOutcome brings an outcome to its job. One that cannot be read is logged
// and let go: there is nobody to answer, and it would never become readable.
func (p *Placer) takeOutcome(ctx context.Context, node, job string, data []byte) error {
	if node == messages.PlacerNode {
		return nil
	}
	outcome, err := messages.Decode[messages.Outcome](data)
	if err == nil {
		err = outcome.CheckSubject(node, job)
	}
	if err != nil {
		p.log.Warn("an outcome was dropped", "node", node, "job", job, "error", err)
		return nil
	}
	p.fleet.heardOf(&outcome)
	if outcome.JobBody != nil && outcome.Fingerprint == "" {
		outcome.Fingerprint = fingerprintOf(data)
	}
	return p.apply(ctx, job, placement.Reported{Outcome: outcome})
}

// fingerprintOf is the fingerprint of the job in an outcome's job_body, as it
// was sent: a worker need not know of fingerprints, and still the same job has
// to be told from another one when it is submitted as well.
func fingerprintOf(outcome []byte) string {
	var said struct {
		JobBody json.RawMessage `json:"job_body"`
	}
	if json.Unmarshal(outcome, &said) != nil {
		return ""
	}
	fingerprint, err := messages.Fingerprint(said.JobBody)
	if err != nil {
		return ""
	}
	return fingerprint
}

// noRecord decides about a message for a job that has no record. If the job has
// ended, the message is late. Else it may be early: another placer may be about
// to write the record, so the message comes again for a while.
func (p *Placer) noRecord(ctx context.Context, d bus.Delivery, job string) error {
	ended, err := p.ended(ctx, job)
	if err != nil || ended != nil {
		return err
	}
	m := d.Message()
	if p.early.wait(early{m.Subject, d.Sequence()}, time.Now()) {
		return errNoRecord
	}
	if strings.HasPrefix(m.Subject, p.cfg.Root.Cancel("")) {
		return p.reject(ctx, job, "", messages.Error{
			Code: messages.CodeNotFound, Field: "job", Message: "no job of this id is known; there is nothing to cancel",
		})
	}
	p.log.Warn("an outcome was dropped: no such job is known", "subject", m.Subject)
	return nil
}
