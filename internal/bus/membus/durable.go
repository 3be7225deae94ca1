package membus

import (
	"context"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// Append implements bus.Durable.
func (c *Conn) Append(ctx context.Context, m bus.Message) (uint64, error) {
	seq, err := c.append(ctx, m)
	if err != nil {
		return 0, fmt.Errorf("append on %s: %w", m.Subject, err)
	}
	return seq, nil
}

func (c *Conn) append(ctx context.Context, m bus.Message) (uint64, error) {
	if err := c.check(ctx, m); err != nil {
		return 0, err
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder(m.Subject) == nil {
		return 0, fmt.Errorf("%w: %w", bus.ErrNotFound, errNoStream)
	}
	m.Reply = ""
	_, seq, err := s.publish(m)
	return seq, err
}

// Last implements bus.Durable.
func (c *Conn) Last(ctx context.Context, stream, subject string) (bus.Stored, error) {
	if err := c.open(ctx); err != nil {
		return bus.Stored{}, fmt.Errorf("last message on %s of %s: %w", subject, stream, err)
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[stream]
	if st == nil {
		return bus.Stored{}, fmt.Errorf("stream %s: %w", stream, bus.ErrNotFound)
	}
	st.expire(time.Now())
	var last *stored
	p := newPattern(subject)
	if p.literal() {
		if on := st.bySubject[subject]; len(on) > 0 {
			last = on[len(on)-1]
		}
	} else {
		for i := len(st.log) - 1; i >= 0 && last == nil; i-- {
			if s := st.log[i]; !s.gone && p.matches(s.Subject) {
				last = s
			}
		}
	}
	if last == nil {
		return bus.Stored{}, fmt.Errorf("last message on %s of %s: %w", subject, stream, bus.ErrNotFound)
	}
	found := last.Stored
	found.Message = clone(found.Message)
	return found, nil
}

// All implements bus.Durable.
func (c *Conn) All(ctx context.Context, stream, subject string) iter.Seq2[bus.Stored, error] {
	return func(yield func(bus.Stored, error) bool) {
		fail := func(err error) {
			yield(bus.Stored{}, fmt.Errorf("all messages on %s of %s: %w", subject, stream, err))
		}
		if err := checkSubject(subject, true); err != nil {
			fail(err)
			return
		}
		p, next, end := newPattern(subject), uint64(0), uint64(math.MaxUint64)
		for {
			found, last, err := c.following(ctx, stream, next, p)
			if err != nil {
				fail(err)
				return
			}
			end = min(end, last)
			if found == nil || found.Sequence > end || !yield(*found, nil) {
				return
			}
			next = found.Sequence + 1
		}
	}
}

// following is a copy of the first message at or above a sequence that matches,
// or nil, and the sequence that the stream has come to.
func (c *Conn) following(ctx context.Context, stream string, seq uint64, p pattern) (*bus.Stored, uint64, error) {
	if err := c.open(ctx); err != nil {
		return nil, 0, err
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[stream]
	if st == nil {
		return nil, 0, bus.ErrNotFound
	}
	st.expire(time.Now())
	is := st.from(seq, func(s *stored) bool { return p.matches(s.Subject) })
	if is == nil {
		return nil, st.last, nil
	}
	found := is.Stored
	found.Message = clone(found.Message)
	return &found, st.last, nil
}

// Consume implements bus.Durable.
func (c *Conn) Consume(ctx context.Context, of bus.Consumer, handler func(bus.Delivery)) (bus.Subscription, error) {
	if of.Stream == "" || of.Name == "" {
		return nil, fmt.Errorf("consume: stream %q and name %q are both needed", of.Stream, of.Name)
	}
	fail := func(err error) (bus.Subscription, error) {
		return nil, fmt.Errorf("consumer %s of %s: %w", of.Name, of.Stream, err)
	}
	if err := c.open(ctx); err != nil {
		return fail(err)
	}
	p := &puller{conn: c, box: &mailbox[*delivery]{handle: func(d *delivery) { handler(d) }}}
	if err := c.begin(p); err != nil {
		return fail(err)
	}
	if err := c.server.pull(of, p); err != nil {
		c.forget(p)
		return fail(err)
	}
	return p, nil
}

// pull lets p share in the durable consumer, which is made or changed as needed.
func (s *Server) pull(of bus.Consumer, p *puller) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[of.Stream]
	if st == nil {
		return bus.ErrNotFound
	}
	consumer, err := st.consumer(of)
	if err != nil {
		return err
	}
	p.of = consumer
	consumer.pullers = append(consumer.pullers, p)
	consumer.dispatch()
	return nil
}
