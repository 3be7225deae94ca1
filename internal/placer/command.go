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

// command sends a job to its node and brings the answer back to the job's lane.
// Without an answer nothing is known, and the sweep sends it again. first tells
// whether nobody else can have sent it until now: others take a record up that
// has stood still.
func (p *Placer) command(ctx context.Context, rec *messages.Record, to placement.Command, first func() bool) (answered bool) {
	job := rec.Job
	job.Attempt = to.Attempt
	if job.Target != "" {
		job.Target = to.Node // it has refused, and another node was found
	}
	header := journalHeader(journalOf(rec, to))
	if rec.Fingerprint != "" {
		header[messages.HeaderFingerprint] = rec.Fingerprint
	}
	if placement.Stops(&job) {
		stands, err := p.leaseStands(ctx, rec, to)
		if err != nil {
			p.log.Warn("a command under a lease is not sent just now", "job", job.ID, "node", to.Node, "attempt", to.Attempt, "error", err)
			return false
		}
		header[messages.HeaderLease] = stands
	}
	log := p.log.With("job", job.ID, "node", to.Node, "attempt", to.Attempt)
	job, err := p.sealFor(ctx, to.Node, job)
	if err != nil {
		log.Warn("a command is not sent just now", "error", err)
		return false
	}
	outcome, err := p.ask(ctx, to.Node, header, &job)
	switch {
	case err == nil:
		log.Info("answered", "status", outcome.Status, "reason", reason(outcome))
		p.fleet.heardOf(outcome)
		p.answered(rec, *outcome)
	case errors.Is(err, bus.ErrNoResponders) && first():
		log.Warn("nobody answers for the node; placing anew")
		p.fleet.release(job.ID, to.Attempt)
		p.bring(job.ID, placement.Unheard(to))
	case ctx.Err() == nil:
		log.Warn("no answer to the command; it is sent again", "error", err)
	}
	return err == nil
}

// journalHeader is the header of a command for a journal, if that is known.
func journalHeader(journal string) bus.Header {
	header := bus.Header{}
	if journal != "" {
		header[messages.HeaderJournal] = journal
	}
	return header
}

// journalOf is the journal that an attempt was handed over to.
func journalOf(rec *messages.Record, to placement.Command) string {
	if s := rec.Successor; s != nil && s.Node == to.Node && s.Attempt == to.Attempt {
		return s.Journal
	}
	return rec.Journal
}

// answered brings a node's answer to the job. That a task was accepted need not
// be written at once: most tasks end soon, and their end is written anyway.
func (p *Placer) answered(rec *messages.Record, o messages.Outcome) {
	ev := placement.Reported{Outcome: o}
	if o.Error != nil && o.Error.Code == messages.CodeWrongIncarnation {
		p.bringLast(rec.Job.ID, o.Node, ev) // the journal before may have ended it
		return
	}
	if o.Status != messages.StatusAccepted || rec.Job.EffectiveKind() != messages.KindTask {
		p.bring(rec.Job.ID, ev)
		return
	}
	p.records.try(rec.Job.ID, time.Now().Add(p.cfg.Settle))
	// A timer, and no goroutine that waits: thousands of tasks may be accepted in
	// that time.
	time.AfterFunc(p.cfg.Settle, func() {
		if _, live := p.records.get(rec.Job.ID); live && p.ctx.Err() == nil {
			p.bring(rec.Job.ID, ev)
		}
	})
}

// revoke tells a node to let go of a job's attempts.
func (p *Placer) revoke(ctx context.Context, rec *messages.Record, to placement.Revoke) (answered bool) {
	order := messages.Job{
		V: messages.Version, ID: rec.Job.ID, Op: messages.OpRevoke,
		Container: rec.Job.ContainerName(), Args: messages.Args{Attempt: to.Attempt}, Attempt: to.Attempt,
	}
	outcome, err := p.ask(ctx, to.Node, journalHeader(p.fleet.journal(to.Node)), &order)
	if err != nil {
		p.log.Warn("no answer to a revoke; it is sent again", "job", order.ID, "node", to.Node, "attempt", to.Attempt, "error", err)
		return false
	}
	p.bring(order.ID, placement.Reported{Outcome: *outcome})
	return outcome.Status == messages.StatusRevoked
}

// ask sends a command and reads the answer, which must be about that job and
// attempt, and from that node.
func (p *Placer) ask(ctx context.Context, node string, header bus.Header, job *messages.Job) (*messages.Outcome, error) {
	data, err := encodeJob(*job)
	if err != nil {
		return nil, err
	}
	m := bus.Message{Subject: p.cfg.Root.Command(node), Data: data, Header: header}
	ctx, cancel := context.WithTimeout(ctx, p.cfg.RequestTimeout)
	defer cancel()
	reply, err := p.cfg.Bus.Request(ctx, m)
	if err != nil {
		return nil, err
	}
	outcome, err := messages.Decode[messages.Outcome](reply.Data)
	if err != nil {
		return nil, fmt.Errorf("the answer of %s is no outcome: %w", node, err)
	}
	if err := outcome.CheckSubject(node, job.ID); err != nil {
		return nil, fmt.Errorf("the answer of %s is about something else: %w", node, err)
	}
	if outcome.Status == messages.StatusRejected && outcome.Attempt == 0 {
		outcome.Attempt = job.Attempt // a worker that could not read the job
	}
	if outcome.Attempt != job.Attempt {
		return nil, fmt.Errorf("the answer of %s is about attempt %d, not %d", node, outcome.Attempt, job.Attempt)
	}
	return &outcome, nil
}

// bring puts an event into its job's lane. If it cannot be applied, the record
// still asks for what led to it, and the sweep does that again.
func (p *Placer) bring(job string, ev placement.Event) {
	p.lanes.put(job, func() { p.applied(job, p.apply(p.ctx, job, ev)) })
}

// applied logs why an event could not be applied.
func (p *Placer) applied(job string, err error) {
	if err != nil && !errors.Is(err, errNoRecord) && p.ctx.Err() == nil {
		p.log.Warn("an event waits for the next look at its job", "job", job, "error", err)
	}
}

// reason is an outcome's reason, for the log.
func reason(o *messages.Outcome) string {
	switch {
	case o.Route != nil:
		return o.Route.Reason
	case o.Error != nil:
		return o.Error.Error()
	}
	return ""
}
