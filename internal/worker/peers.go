package worker

import (
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// peers is the worker's own table of the fleet, made safe for concurrent use.
type peers struct {
	mu    sync.Mutex
	table *peer.Table
}

func newPeers(limit int) *peers { return &peers{table: peer.NewTable(limit)} }

func (p *peers) hear(c messages.Capabilities, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table.Hear(c, now)
}

// snapshot is the table with the silent nodes marked lost.
func (p *peers) snapshot(now time.Time) peer.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.table.Expire(now)
	return p.table.Snapshot()
}

// capable names peers that can run one of the platforms.
func (p *peers) capable(want []messages.Platform, self string) []string {
	return p.snapshot(time.Now()).Capable(want, self, messages.MaxPeersNamed)
}

// hearPeers listens to the heartbeats of the fleet, this worker's own among
// them.
func (w *Worker) hearPeers() (bus.Subscription, error) {
	root := w.cfg.Root
	return w.cfg.Bus.Subscribe(root.Capabilities(messages.Any), func(m bus.Message) {
		c, err := messages.Decode[messages.Capabilities](m.Data)
		if err == nil {
			err = c.CheckSubject(root.Token(m.Subject, 1))
		}
		if err != nil {
			w.log.Warn("a heartbeat was dropped", "subject", m.Subject, "error", err)
			return
		}
		if c.Node == w.cfg.Node {
			w.heardOwnName(&c)
		}
		w.peers.hear(c, time.Now())
	})
}
