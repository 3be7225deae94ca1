package worker

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// peers is the worker's own table of the fleet, made safe for concurrent use. It
// is asked far less often than it is told, so heartbeats are kept as they came
// and read when somebody wants to know.
type peers struct {
	limit int

	mu     sync.Mutex
	table  *peer.Table
	unread map[string]unreadBeat // by node: the newest
	heard  map[string]time.Time  // by node
	full   bool                  // there are more than limit: nothing is kept
}

type unreadBeat struct {
	data []byte
	at   time.Time
}

func newPeers(limit int) *peers {
	return &peers{limit: limit, table: peer.NewTable(limit), unread: map[string]unreadBeat{}, heard: map[string]time.Time{}}
}

// peerAge is how long a node that is not heard counts among the peers.
const peerAge = time.Minute

// hear keeps a heartbeat. It tells once that the fleet has become larger than
// this worker keeps a table of.
func (p *peers) hear(node string, data []byte, now time.Time) (tooMany bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.full {
		return false
	}
	if _, known := p.heard[node]; !known && len(p.heard) >= p.limit {
		maps.DeleteFunc(p.heard, func(_ string, at time.Time) bool { return now.Sub(at) > peerAge })
		if len(p.heard) >= p.limit {
			p.full = true
			p.table, p.unread, p.heard = peer.NewTable(p.limit), nil, nil
			return true
		}
	}
	p.heard[node] = now
	p.unread[node] = unreadBeat{data, now}
	return false
}

// snapshot is the table with the silent nodes marked lost.
func (p *peers) snapshot(now time.Time) peer.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	for node, beat := range p.unread {
		// One that cannot be read is its sender's fault, and the placers say so.
		if c, err := messages.Decode[messages.Capabilities](beat.data); err == nil && c.CheckSubject(node) == nil {
			p.table.Hear(c, beat.at)
		}
	}
	clear(p.unread)
	p.table.Expire(now)
	return p.table.Snapshot()
}

// capable names peers that can run one of the platforms.
func (p *peers) capable(want []messages.Platform, self string) []string {
	return p.snapshot(time.Now()).Capable(want, self, messages.MaxPeersNamed)
}

// hearPeers listens to the heartbeats of the fleet, while that is small: in a
// large one placers alone listen.
func (w *Worker) hearPeers() (bus.Subscription, error) {
	root := w.cfg.Root
	var sub bus.Subscription
	enough := make(chan struct{})
	sub, err := w.cfg.Bus.Subscribe(root.Capabilities(messages.Any), func(m bus.Message) {
		if w.peers.hear(root.Token(m.Subject, 1), m.Data, time.Now()) {
			close(enough)
		}
	})
	if err != nil {
		return nil, err
	}
	w.work.Go(func() {
		select {
		case <-w.ctx.Done():
		case <-enough:
			w.log.Info("the fleet has become too large for a table of it here; placers alone keep one", "peers", w.cfg.Peers)
			ctx, cancel := context.WithTimeout(w.ctx, verbTimeout)
			defer cancel()
			if err := sub.Stop(ctx); err != nil && w.ctx.Err() == nil {
				w.log.Warn("a subscription did not stop in time", "error", err)
			}
		}
	})
	return sub, nil
}

// hearOwnName listens to the heartbeats under this node's name.
func (w *Worker) hearOwnName() (bus.Subscription, error) {
	root := w.cfg.Root
	return w.cfg.Bus.Subscribe(root.Capabilities(w.cfg.Node), func(m bus.Message) {
		c, err := messages.Decode[messages.Capabilities](m.Data)
		if err == nil {
			err = c.CheckSubject(w.cfg.Node)
		}
		if err != nil {
			w.log.Warn("a heartbeat under this node's name was dropped", "error", err)
			return
		}
		w.heardOwnName(&c)
		if c.Incarnation == w.Incarnation() && w.still.heard(c.Seq) {
			w.changed()
		}
	})
}
