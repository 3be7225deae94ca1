package placer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// loss is what was last said to a record of a node's loss, and when.
type loss struct {
	node string
	over bool // its lease as well
	at   time.Time
}

// lossAgain is how soon a record that a loss did not move is told of it again.
const lossAgain = 10 * time.Second

// lookAtNodes looks at every node that some record names: has it been lost, or
// come back, or forgotten what it had, or does it drain?
func (p *Placer) lookAtNodes(now time.Time, t turns) {
	for _, node := range p.records.nodes() {
		s := p.fleet.see(node, now)
		switch {
		case !s.known:
			p.fleet.expect(node, now)
		case s.state == messages.NodeLost:
			p.nodeLost(node, "it has not been heard for its time-to-live", s.lost, now, t)
		case s.state == messages.NodeLeft && now.Sub(s.lost) >= expectedTTL:
			p.nodeLost(node, "it has said goodbye", s.lost, now, t)
		case answering(s.state):
			p.nodeThere(node, s, now, t)
		}
	}
}

// nodeLost brings a node's loss to the jobs that it concerns.
func (p *Placer) nodeLost(node, reason string, since, now time.Time, t turns) {
	concerned := p.records.on(node, func(e *entry) bool { return slices.Contains(placement.Concerns(e.record), node) })
	over := false
	if slices.ContainsFunc(concerned, func(e entry) bool { return placement.Stops(&e.record.Job) }) {
		over = p.leaseOver(node)
	}
	for _, e := range concerned {
		job := e.record.Job.ID
		said := e.losses.node == node && e.losses.over == over && within(e.losses.at, now, lossAgain)
		if said || now.Sub(latest(e.still(), since)) < t.patience(job, true) {
			continue
		}
		p.records.note(job, func(e *entry) { e.losses = loss{node, over, now} })
		p.bringLoss(job, placement.NodeLost{Node: node, Reason: reason, LeaseOver: over})
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// nodeThere sees to the records of a node that can be spoken to.
func (p *Placer) nodeThere(node string, s sight, now time.Time, t turns) {
	if s.back {
		if s.steady {
			p.fleet.welcomed(node)
		}
		for _, e := range p.records.on(node, func(*entry) bool { return true }) {
			p.welcome(&e, node, s, now, t)
		}
	}
	if s.state == messages.NodeDraining && t.mine(node) {
		p.vacate(node, now)
	}
}

// welcome tells a job that its node is back: what it owes the node is said at
// once; and an attempt that was handed over to another journal is lost, once it
// is sure that the worker which speaks now is the only one.
func (p *Placer) welcome(e *entry, node string, s sight, now time.Time, t turns) {
	rec, job := e.record, e.record.Job.ID
	if !t.mine(job) {
		return // who looks after it does
	}
	owed := slices.ContainsFunc(rec.Fences, func(f messages.Fence) bool { return f.Node == node })
	if owed && !within(e.tried, now, 2*p.cfg.RequestTimeout) {
		p.records.try(job, now)
		p.lanes.put(job, func() { p.takeUp(job, e.revision) })
	}
	if !s.steady {
		return
	}
	for _, journal := range journalsOn(rec, node) {
		if journal != s.journal {
			p.bringLoss(job, placement.NodeLost{Node: node, Journal: journal, Reason: "it came back with another journal"})
		}
	}
}

// journalsOn is the journals to which a record's attempts on a node were handed
// over.
func journalsOn(rec *messages.Record, node string) []string {
	var journals []string
	if rec.Node == node && rec.Journal != "" && !rec.State.Ended() && rec.State != messages.StatePending {
		journals = append(journals, rec.Journal)
	}
	if s := rec.Successor; s != nil && s.Node == node && s.Journal != "" {
		journals = append(journals, s.Journal)
	}
	return journals
}

// bringLoss brings a node's loss to a job, after the last thing that the node has
// said of it: a backlog of outcomes is no reason to do a job again.
func (p *Placer) bringLoss(job string, ev placement.NodeLost) { p.bringLast(job, ev.Node, ev) }

// bringLast brings an event to a job after the last thing that a node has said of
// it.
func (p *Placer) bringLast(job, node string, ev placement.Event) {
	p.lanes.put(job, func() {
		err := p.hearOut(p.ctx, job, node)
		if err == nil {
			err = p.apply(p.ctx, job, ev)
		}
		p.applied(job, err)
	})
}

// hearOut brings to a job the last outcome that the stream has of its attempt on
// a node.
func (p *Placer) hearOut(ctx context.Context, job, node string) error {
	e, ok := p.records.get(job)
	if !ok {
		return errNoRecord
	}
	root := p.cfg.Root
	last, err := p.cfg.Bus.Last(ctx, root.Stream(messages.StreamOutcomes), root.Outcome(node, job))
	if errors.Is(err, bus.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("job %s: look what %s said of it last: %w", job, node, err)
	}
	o, unread := messages.Decode[messages.Outcome](last.Data)
	if unread == nil && o.CheckSubject(node, job) == nil && !said(e.record, &o) {
		return p.apply(ctx, job, placement.Reported{Outcome: o})
	}
	return nil // what cannot be read was dropped before
}

// said tells whether a record has heard an outcome already.
func said(rec *messages.Record, o *messages.Outcome) bool {
	last := rec.Outcome
	return last != nil && last.Node == o.Node && last.Attempt == o.Attempt && last.Seq >= o.Seq
}
