package placer

import (
	"context"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// fleet is the table of nodes, made safe for concurrent use.
type fleet struct {
	mu    sync.Mutex
	table *peer.Table
	view  *peer.Snapshot // nil: the table has changed since
}

func newFleet() *fleet { return &fleet{table: peer.NewTable(0)} }

// hear takes in a heartbeat.
func (f *fleet) hear(c messages.Capabilities, now time.Time) (peer.News, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	news, ok := f.table.Hear(c, now)
	if ok {
		f.view = nil
	}
	return news, ok
}

// expire marks the silent nodes lost.
func (f *fleet) expire(now time.Time) []peer.News {
	f.mu.Lock()
	defer f.mu.Unlock()
	lost := f.table.Expire(now)
	if len(lost) > 0 {
		f.view = nil
	}
	return lost
}

// snapshot is the table as it is; it is made once for each change.
func (f *fleet) snapshot() peer.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.view == nil {
		s := f.table.Snapshot()
		f.view = &s
	}
	return *f.view
}

// forget drops a node from the table.
func (f *fleet) forget(node string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, known := f.table.Get(node)
	f.table.Forget(node)
	f.view = nil
	return known
}

// journal is the identity of the journal that the node's worker keeps, or "".
func (f *fleet) journal(node string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.table.Get(node)
	if !ok {
		return ""
	}
	return n.Journal()
}

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
		p.nodeNews(p.fleet.hear(c, time.Now()))
	})
}

// nodeNews logs what a heartbeat changed, and looks at the jobs that wait when
// they may be placed now.
func (p *Placer) nodeNews(news peer.News, ok bool) {
	if !ok {
		return
	}
	if news.From != news.To {
		p.log.Info("node", "node", news.Node, "was", news.From, "is", news.To)
		p.tellNode(news)
	}
	if news.Ability {
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
