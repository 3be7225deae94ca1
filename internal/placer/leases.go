package placer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// leases is what this placer knows of the leases of nodes: when each was last
// heard to be renewed, and which of them are over.
//
// A lease that stands at some sequence ends, on the worker's clock, no later
// than its time-to-live after it was sent. So whoever has watched that sequence
// for as long, on whatever clock, and then puts a declaration in its place by
// compare-and-set, knows that the worker has stopped what it ran under it.
type leases struct {
	mu    sync.Mutex
	heard map[string]renewal
	watch map[string]*watch
}

// renewal is a renewal that was heard.
type renewal struct {
	incarnation string
	sent        time.Time // what the worker says; it tells renewals apart
	at          time.Time
}

// watch is a lease that is waited for to be over.
type watch struct {
	busy     bool // somebody looks at it just now
	over     bool
	sequence uint64
	since    time.Time // the sequence is known to have stood since
}

func newLeases() *leases {
	return &leases{heard: map[string]renewal{}, watch: map[string]*watch{}}
}

// hear takes in a renewal.
func (l *leases) hear(lease *messages.Lease, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lease.LostBy != "" {
		return
	}
	l.heard[lease.Node] = renewal{lease.Incarnation, lease.At, now}
	if w := l.watch[lease.Node]; w != nil {
		w.over = false // the bus tells, when it is looked at again
	}
}

// forget drops what was found of the lease of a node that is heard again.
func (l *leases) forget(node string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.watch, node)
}

// begin tells whether a node's lease is over; if not, and nobody looks at it
// just now, the caller is to look (and to call done).
func (l *leases) begin(node string) (w *watch, over, look bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w = l.watch[node]
	if w == nil {
		w = &watch{}
		l.watch[node] = w
	}
	if w.over || w.busy {
		return w, w.over, false
	}
	w.busy = true
	return w, false, true
}

func (l *leases) done(w *watch, over bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.busy, w.over = false, over
}

// stands notes which lease stands at a sequence (nil: none that can be read), and
// tells since when it is known to have stood there.
func (l *leases) stands(w *watch, node string, sequence uint64, lease *messages.Lease, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.sequence != sequence || w.since.IsZero() {
		w.sequence, w.since = sequence, now
		if h, ok := l.heard[node]; ok && lease != nil && h.incarnation == lease.Incarnation && h.sent.Equal(lease.At) {
			w.since = h.at
		}
	}
	return w.since
}

// hearLeases listens to renewals.
func (p *Placer) hearLeases(context.Context) (bus.Subscription, error) {
	return p.cfg.Bus.Subscribe(p.cfg.Root.Lease(messages.Any), func(m bus.Message) {
		lease, err := messages.Decode[messages.Lease](m.Data)
		if err == nil {
			err = lease.CheckSubject(p.cfg.Root.Token(m.Subject, 1))
		}
		if err != nil {
			p.log.Warn("a lease was dropped", "subject", m.Subject, "error", err)
			return
		}
		p.leases.hear(&lease, time.Now())
	})
}

// leaseOver tells whether the lease of a lost node is known to be over. If not,
// it is looked at beside, and the sweep after that knows more.
func (p *Placer) leaseOver(node string) bool {
	w, over, look := p.leases.begin(node)
	if look {
		p.beside(func(ctx context.Context) {
			over, err := p.endLease(ctx, node, w)
			if err != nil && ctx.Err() == nil {
				p.log.Warn("a lease could not be looked at; it is tried again", "node", node, "error", err)
			}
			p.leases.done(w, over)
			if over {
				p.log.Info("the lease of a lost node is over", "node", node)
				p.lookNow()
			}
		})
	}
	return over
}

// endLease declares a node's lease to be over, if it has stood for its
// time-to-live; it tells whether it is. A declaration that stands there already
// is made anew: each loss of a node wants one of its own. A node that never had a
// lease holds none.
func (p *Placer) endLease(ctx context.Context, node string, w *watch) (over bool, err error) {
	root := p.cfg.Root
	ttl := expectedTTL
	last, err := p.cfg.Bus.Last(ctx, root.Stream(messages.StreamLeases), root.Lease(node))
	switch {
	case errors.Is(err, bus.ErrNotFound):
		return p.declare(ctx, node, 0, ttl)
	case err != nil:
		return false, fmt.Errorf("look at the lease of %s: %w", node, err)
	}
	var standing *messages.Lease
	if lease, err := messages.Decode[messages.Lease](last.Data); err == nil && lease.CheckSubject(node) == nil {
		ttl = lease.TTL.Std()
		if lease.LostBy != "" {
			// It may be of an earlier loss. The node may know of it by now, and
			// take the lease anew when it hears of what was handed over since.
			return p.declare(ctx, node, last.Sequence, ttl)
		}
		standing = &lease
	}
	now := time.Now()
	if now.Sub(p.leases.stands(w, node, last.Sequence, standing, now)) < ttl {
		return false, nil
	}
	return p.declare(ctx, node, last.Sequence, ttl)
}

// declare puts a declaration in the place of the lease at sequence. If the lease
// was renewed meanwhile, or somebody else has declared it over, the next look
// tells.
func (p *Placer) declare(ctx context.Context, node string, sequence uint64, ttl time.Duration) (won bool, err error) {
	data, err := messages.Encode(messages.Lease{
		V: messages.Version, Node: node, At: time.Now(), TTL: messages.Duration(ttl), LostBy: p.cfg.ID,
	})
	if err != nil {
		return false, err
	}
	_, err = p.cfg.Bus.Append(ctx, bus.Message{
		Subject: p.cfg.Root.Lease(node), Data: data,
		Header: bus.Header{messages.HeaderExpectSeq: strconv.FormatUint(sequence, 10)},
	})
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, bus.ErrConflict):
		return false, nil
	}
	return false, fmt.Errorf("declare the lease of %s over: %w", node, err)
}

// leaseStands is where the lease of a node stands, for a command of a job that
// must not run twice at once. The record is looked at after that: if the node is
// declared lost later, and the job moves, the worker finds the declaration above
// the command's sequence, and refuses a command that was long on its way.
func (p *Placer) leaseStands(ctx context.Context, rec *messages.Record, to placement.Command) (string, error) {
	root := p.cfg.Root
	last, err := p.cfg.Bus.Last(ctx, root.Stream(messages.StreamLeases), root.Lease(to.Node))
	if err != nil && !errors.Is(err, bus.ErrNotFound) {
		return "", fmt.Errorf("look where the lease of %s stands: %w", to.Node, err)
	}
	now, _, err := p.stored(ctx, rec.Job.ID)
	if err != nil {
		return "", err
	}
	if now == nil || now.State != messages.StateAssigned || now.Node != to.Node || now.Attempt != to.Attempt {
		return "", errors.New("the job has moved on")
	}
	return strconv.FormatUint(last.Sequence, 10), nil
}
