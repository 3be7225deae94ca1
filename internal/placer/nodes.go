package placer

import (
	"context"
	"errors"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// hearNodes listens to the heartbeats of the workers.
func (p *Placer) hearNodes(context.Context) (bus.Subscription, error) {
	return p.cfg.Bus.Subscribe(p.cfg.Root.Capabilities(messages.Any), func(m bus.Message) {
		c, err := messages.Decode[messages.Capabilities](m.Data)
		if err == nil {
			err = c.CheckSubject(p.cfg.Root.Token(m.Subject, 1))
		}
		if err != nil {
			p.log.Warn("a heartbeat was dropped", "subject", m.Subject, "error", err)
			return
		}
		news, before, ok := p.fleet.hear(c, time.Now())
		if !ok {
			return
		}
		if news.To == messages.NodeQuarantined && news.From != news.To {
			p.log.Error("two workers speak under one name; neither is given work until one is silent",
				"node", c.Node, "journal", p.fleet.journal(c.Node), "other_journal", before)
		}
		p.nodeNews(news)
	})
}

// nodeNews logs what a heartbeat, or its absence, changed, and looks at the jobs
// that wait when they may be placed now.
func (p *Placer) nodeNews(news peer.News) {
	if news.From != news.To {
		p.log.Info("node", "node", news.Node, "was", news.From, "is", news.To)
		p.tellNode(news)
	}
	if answering(news.To) {
		p.leases.forget(news.Node)
	}
	if news.Ability || news.From != news.To {
		p.lookNow()
	}
}

// tellNode publishes that a node has come or gone.
func (p *Placer) tellNode(news peer.News) {
	kind, ok := map[messages.NodeState]messages.EventKind{
		messages.NodeAlive:    messages.EventNodeUp,
		messages.NodeLost:     messages.EventNodeLost,
		messages.NodeDraining: messages.EventNodeDraining,
	}[news.To]
	if !ok {
		return
	}
	ev := messages.Event{V: messages.Version, At: time.Now(), Node: messages.PlacerNode, Kind: kind, Message: news.Node}
	data, err := messages.Encode(ev)
	if err == nil {
		err = p.cfg.Bus.Publish(p.ctx, bus.Message{Subject: p.cfg.Root.Event(messages.PlacerNode, kind), Data: data})
	}
	if err != nil {
		p.log.Debug("an event was not published", "kind", kind, "error", err)
	}
}

// judge finds out which nodes are lost, and asks those that must be asked first.
func (p *Placer) judge(now time.Time) {
	p.fleet.settle(p.connection())
	lost, ask := p.fleet.look(now)
	for _, news := range lost {
		p.nodeNews(news)
	}
	for _, node := range ask {
		if !p.inquiries.enter() {
			return // it is named again
		}
		p.beside(func(ctx context.Context) {
			defer p.inquiries.leave()
			p.inquire(ctx, node)
		})
	}
}

// inquire asks a silent node whether it is there. If the connection broke while
// it was asked, its silence says nothing.
func (p *Placer) inquire(ctx context.Context, node string) {
	connected, before := p.cfg.Bus.Connection()
	patience := p.cfg.RequestTimeout
	if ttl := p.fleet.see(node, time.Now()).ttl; ttl > 0 {
		patience = min(patience, ttl/4)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := askNode[messages.InfoReply](ctx, p, node, messages.VerbInfo, messages.EmptyRequest{V: messages.Version})
	_, said := errors.AsType[*messages.Error](err)
	switch {
	case err == nil || said:
		p.log.Info("a node that is not heard answers", "node", node)
		p.fleet.answered(node, true, time.Now())
	default:
		if still, since := p.cfg.Bus.Connection(); p.ctx.Err() == nil && connected && still && since.Equal(before) {
			p.fleet.answered(node, false, time.Now())
		}
	}
}
