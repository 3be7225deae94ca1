package sim

import (
	"context"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
)

// cut is how a process is cut off from the bus.
type cut string

// The cuts. The first three are asymmetric or silent: the connection seems to
// be there.
const (
	cutNone cut = ""
	cutOut  cut = "nothing goes out"
	cutIn   cut = "nothing comes in"
	cutBoth cut = "nothing goes out or comes in"
	cutOff  cut = "disconnected"
)

// link is a process's connection to the bus, which comes and goes as that of a
// NATS client does: what is subscribed is subscribed again when it is back.
type link struct {
	l *life

	mu      sync.Mutex
	conn    *membus.Conn // nil while it is away
	since   time.Time    // of conn, or of its absence
	cut     cut
	changed chan struct{} // closed with every change
	ended   bool
	subs    map[*subscription]struct{}
}

func newLink(l *life) *link {
	k := &link{l: l, since: time.Now(), changed: make(chan struct{}), subs: map[*subscription]struct{}{}}
	if !l.s.busAway() {
		k.conn = l.s.server.Connect(l.p.name)
	}
	return k
}

// state is the connection, how it is cut, and what is closed when that changes.
func (k *link) state() (*membus.Conn, cut, <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.conn, k.cut, k.changed
}

// connection is what a client knows of it.
func (k *link) connection() (connected bool, since time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.conn != nil, k.since
}

// set cuts the link, or mends it.
func (k *link) set(c cut) {
	k.mu.Lock()
	if k.ended {
		k.mu.Unlock()
		return
	}
	k.cut = c
	gone := k.conn
	switch {
	case c == cutOff && k.conn != nil:
		k.conn, k.since = nil, time.Now()
	case c == cutNone && k.conn == nil:
		k.conn, k.since = k.l.s.server.Connect(k.l.p.name), time.Now()
		gone = nil
	default:
		gone = nil
	}
	close(k.changed)
	k.changed = make(chan struct{})
	conn := k.conn
	var again []*subscription
	if conn != nil {
		for s := range k.subs {
			again = append(again, s)
		}
	}
	k.mu.Unlock()
	closeNow(gone)
	for _, s := range again {
		_ = s.open(conn) // a connection that is cut again opens nothing
	}
}

// drop ends the link with its process.
func (k *link) drop() {
	k.mu.Lock()
	conn := k.conn
	k.conn, k.ended = nil, true
	k.subs = nil
	k.mu.Unlock()
	closeNow(conn)
}

// closeNow closes a connection as a broken one is closed: nothing is waited for,
// and what was delivered and not acknowledged comes again.
func closeNow(conn *membus.Conn) {
	if conn == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = conn.Close(ctx) // that handlers still run is the point
}

// hears tells whether something that comes in reaches the process: not when it
// is cut off or dead, and not before it goes on when it is suspended.
func (k *link) hears() bool {
	if !k.l.still() {
		return false
	}
	_, c, _ := k.state()
	return c != cutIn && c != cutBoth
}

// subscription is one of a process, whatever connection carries it just now.
type subscription struct {
	l       *life
	carried func(*membus.Conn) (bus.Subscription, error)

	mu      sync.Mutex
	on      *membus.Conn
	inner   bus.Subscription
	stopped bool
}

// subscribe begins a subscription; without a connection it waits for one.
func (k *link) subscribe(carried func(*membus.Conn) (bus.Subscription, error)) (*subscription, error) {
	s := &subscription{l: k.l, carried: carried}
	k.mu.Lock()
	if k.subs != nil {
		k.subs[s] = struct{}{}
	}
	conn := k.conn
	k.mu.Unlock()
	if conn == nil {
		return s, nil
	}
	return s, s.open(conn)
}

// open puts the subscription on a connection, once.
func (s *subscription) open(conn *membus.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.on == conn {
		return nil
	}
	inner, err := s.carried(conn)
	if err == nil {
		s.on, s.inner = conn, inner
	}
	return err
}

// Stop implements bus.Subscription.
func (s *subscription) Stop(ctx context.Context) error {
	return s.l.do("Subscription.Stop", func() error {
		s.l.link.forget(s)
		s.mu.Lock()
		s.stopped = true
		inner := s.inner
		s.mu.Unlock()
		if inner == nil {
			return nil
		}
		ctx, cancel := s.l.bound(ctx)
		defer cancel()
		return inner.Stop(ctx)
	})
}

func (k *link) forget(s *subscription) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.subs, s)
}
