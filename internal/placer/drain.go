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

// drainMargin is how much longer than a drain's own time-out its answer may take.
const drainMargin = 10 * time.Second

// drainNode passes a drain on to the node's worker, which keeps it.
func (p *Placer) drainNode(ctx context.Context, req messages.DrainRequest) (any, error) {
	return p.passOn(ctx, messages.VerbDrain, req)
}

func (p *Placer) undrainNode(ctx context.Context, req messages.DrainRequest) (any, error) {
	return p.passOn(ctx, messages.VerbUndrain, req)
}

// passOn asks the node's worker and answers as it does. The caller's context is
// not what bounds it: a drain may take as long as its request says. With too many
// that wait it is answered at once, as when its time is over.
func (p *Placer) passOn(_ context.Context, verb messages.WorkerVerb, req messages.DrainRequest) (any, error) {
	if err := req.RequireNode(); err != nil {
		return nil, err
	}
	if p.fleet.see(req.Node, time.Now()).state == "" {
		return nil, unknownNode(req.Node)
	}
	if req.Timeout > 0 && !p.drains.enter() {
		req.Timeout = 0
	} else if req.Timeout > 0 {
		defer p.drains.leave()
	}
	ctx, cancel := context.WithTimeout(p.ctx, req.Timeout.Std()+drainMargin)
	defer cancel()
	reply, err := askNode[messages.DrainReply](ctx, p, req.Node, verb, req)
	if e, ok := errors.AsType[*messages.Error](err); ok {
		return nil, e
	}
	if err != nil {
		why := err.Error()
		if errors.Is(err, bus.ErrNoResponders) {
			why = "nobody answers for it"
		}
		return nil, &messages.Error{
			Code: messages.CodeUnavailable, Field: "node", Retryable: true,
			Message: messages.TruncateReason(fmt.Sprintf("the worker of %q did not answer: %s", req.Node, why)),
		}
	}
	reply.Node = req.Node
	return reply, nil
}

func unknownNode(node string) error {
	return &messages.Error{Code: messages.CodeNotFound, Field: "node", Message: fmt.Sprintf("no node %q has been heard of", node)}
}

// moving is how often, and when last, a service was told to leave its node.
type moving struct {
	at    time.Time
	times int
}

// pause is how long to wait before a service is told again: there may be no node
// for its successor yet.
func (m moving) pause() time.Duration { return min(time.Second<<min(m.times, 5), 30*time.Second) }

// vacate tells the services on a node that drains to leave it, a few at a time.
func (p *Placer) vacate(node string, now time.Time) {
	under := 0
	ready := p.records.on(node, func(e *entry) bool {
		rec := e.record
		if underWay(rec, node) || within(e.moves.at, now, time.Second) {
			under++
			return false
		}
		return movable(rec, node, now) && !within(e.moves.at, now, e.moves.pause())
	})
	for _, e := range ready[:min(len(ready), max(0, p.cfg.MovesAtOnce-under))] {
		p.records.note(e.record.Job.ID, func(e *entry) { e.moves = moving{now, e.moves.times + 1} })
		p.bring(e.record.Job.ID, placement.Vacate{Node: node})
	}
}

// underWay tells whether a job is leaving the node just now: its successor has
// not taken over, or it is between two nodes because it never runs twice.
func underWay(rec *messages.Record, node string) bool {
	if rec.State.Ended() {
		return false
	}
	if rec.Successor != nil {
		return rec.Node == node
	}
	return placement.OneAtATime(&rec.Job) && rec.State != messages.StateRunning
}

// movable tells whether a job is a service that runs on the node and may leave.
func movable(rec *messages.Record, node string, now time.Time) bool {
	return rec.Job.EffectiveKind() == messages.KindService && rec.State == messages.StateRunning &&
		rec.Node == node && rec.Successor == nil && !now.Before(rec.NotBefore)
}
