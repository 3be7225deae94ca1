package sim

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
)

// busPort is the bus as a process sees it: through its life and the network.
type busPort struct{ l *life }

var _ bus.Bus = busPort{}

// Publish implements bus.Core. Whether it arrives the caller never knows.
func (b busPort) Publish(ctx context.Context, m bus.Message) error {
	l, call := b.l, "Bus.Publish"
	n, ok := l.enter(call)
	if !ok {
		return errCrashed
	}
	m = l.out(m)
	send := func(ctx context.Context, c *membus.Conn) { _ = c.Publish(ctx, m) }
	fate := l.fateOf(call, n, false)
	conn, c, _ := l.link.state()
	if fate != arrives && conn != nil && c == cutNone && isHeartbeat(m.Subject) && l.p.spared() {
		fate = arrives
	}
	var err error
	switch {
	case conn == nil || fate == lost || fate == unanswered:
	case fate == late:
		l.s.later(l.lateness(call, n), send)
	default:
		if fate == twice {
			l.s.later(l.lateness(call, n), send)
		}
		err = conn.Publish(ctx, m)
	}
	return l.leave(call, n, err)
}

// Probe implements bus.Core.
func (b busPort) Probe(ctx context.Context, m bus.Message, gone func()) error {
	return b.l.do("Bus.Probe", func() error {
		conn, _, _ := b.l.link.state()
		if conn == nil {
			return nil
		}
		return conn.Probe(ctx, b.l.out(m), gone)
	})
}

// Request implements bus.Core.
func (b busPort) Request(ctx context.Context, m bus.Message) (bus.Message, error) {
	l, call := b.l, "Bus.Request"
	n, ok := l.enter(call)
	if !ok {
		return bus.Message{}, errCrashed
	}
	ctx, cancel := l.bound(ctx)
	defer cancel()
	m = l.out(m)
	send := func(ctx context.Context, c *membus.Conn) { _, _ = c.Request(ctx, m) }
	fate := l.fateOf(call, n, false)
	if fate == arrives || fate == twice {
		l.travel(ctx, call, n)
	}
	conn, _, _ := l.link.state()
	if conn == nil {
		fate = lost
	}
	if l.isDead() {
		return bus.Message{}, errCrashed
	}
	switch fate {
	case unanswered:
		l.s.later(0, send)
	case late:
		l.s.later(l.lateness(call, n), send)
	}
	if fate == lost || fate == unanswered || fate == late {
		return bus.Message{}, l.leave(call, n, l.noAnswer(ctx, call))
	}
	reply, err := conn.Request(ctx, m)
	if fate == twice && !errors.Is(err, bus.ErrNoResponders) { // what the bus has given back is under way nowhere
		l.s.later(l.lateness(call, n), send)
	}
	if err := l.leave(call, n, err); err != nil {
		return bus.Message{}, err
	}
	return l.in(reply), nil
}

// Append implements bus.Durable.
func (b busPort) Append(ctx context.Context, m bus.Message) (uint64, error) {
	m = b.l.out(m)
	return durable(ctx, b.l, "Bus.Append", func(ctx context.Context, c *membus.Conn) (uint64, error) {
		return c.Append(ctx, m)
	})
}

// Last implements bus.Durable.
func (b busPort) Last(ctx context.Context, stream, subject string) (bus.Stored, error) {
	s, err := durable(ctx, b.l, "Bus.Last", func(ctx context.Context, c *membus.Conn) (bus.Stored, error) {
		return c.Last(ctx, stream, subject)
	})
	s.Message = b.l.in(s.Message)
	return s, err
}

// All implements bus.Durable. It is read at once and then given.
func (b busPort) All(ctx context.Context, stream, subject string) iter.Seq2[bus.Stored, error] {
	return func(yield func(bus.Stored, error) bool) {
		all, err := durable(ctx, b.l, "Bus.All", func(ctx context.Context, c *membus.Conn) (all []bus.Stored, _ error) {
			for s, err := range c.All(ctx, stream, subject) {
				if err != nil {
					return all, err
				}
				all = append(all, s)
			}
			return all, nil
		})
		for _, s := range all {
			s.Message = b.l.in(s.Message)
			if !yield(s, nil) {
				return
			}
		}
		if err != nil {
			yield(bus.Stored{}, err)
		}
	}
}

// Ensure implements bus.Bus.
func (b busPort) Ensure(ctx context.Context, layout bus.Layout) error {
	_, err := durable(ctx, b.l, "Bus.Ensure", func(ctx context.Context, c *membus.Conn) (struct{}, error) {
		return struct{}{}, c.Ensure(ctx, layout)
	})
	return err
}

// Bucket implements bus.Bus.
func (b busPort) Bucket(name string) bus.Bucket {
	return know(b.l, "Bus.Bucket", func() bus.Bucket { return bucketPort{b.l, name} })
}

// Connection implements bus.Bus.
func (b busPort) Connection() (connected bool, since time.Time) {
	know(b.l, "Bus.Connection", func() bool {
		connected, since = b.l.link.connection()
		return connected
	})
	return connected, since
}

// Close implements bus.Bus.
func (b busPort) Close(context.Context) error {
	return b.l.do("Bus.Close", func() error {
		b.l.link.drop()
		return nil
	})
}
