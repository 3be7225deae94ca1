package membus

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// consumer is how far those that consume under one name have come in a stream.
// It outlives them. The server's lock guards it.
type consumer struct {
	stream  *stream
	cfg     bus.Consumer
	filters []pattern
	next    uint64           // the first sequence not yet looked at
	open    map[uint64]*held // not acknowledged
	again   []*held          // of those, the ones to be given again now
	pullers []*puller
	turn    int
}

// held is a message that somebody has, or had, and did not acknowledge.
type held struct {
	message *stored
	timer   *time.Timer // gives it again
	waiting bool        // it is in again
}

// consumer finds or makes a durable consumer, and has it follow cfg.
func (st *stream) consumer(cfg bus.Consumer) (*consumer, error) {
	if cfg.AckWait == 0 {
		cfg.AckWait = defaultAckWait
	}
	if cfg.MaxOpen == 0 {
		cfg.MaxOpen = defaultMaxOpen
	}
	var filters []pattern
	for _, f := range cfg.Filters {
		if err := checkSubject(f, true); err != nil {
			return nil, fmt.Errorf("filter: %w", err)
		}
		filters = append(filters, newPattern(f))
	}
	c := st.consumers[cfg.Name]
	if c == nil {
		c = &consumer{stream: st, open: map[uint64]*held{}}
	}
	if other := st.rival(cfg.Name, filters); other != "" {
		return nil, fmt.Errorf("consumer %s takes the same messages of a work queue: give them filters that do not overlap", other)
	}
	c.cfg, c.filters = cfg, filters
	st.consumers[cfg.Name] = c
	return c, nil
}

// rival is another consumer that would take the same messages of a work queue,
// in which every message is for one consumer.
func (st *stream) rival(name string, filters []pattern) string {
	if !st.cfg.WorkQueue {
		return ""
	}
	for other, c := range st.consumers {
		if other == name {
			continue
		}
		if len(filters) == 0 || len(c.filters) == 0 {
			return other
		}
		for _, f := range filters {
			if slices.ContainsFunc(c.filters, f.overlaps) {
				return other
			}
		}
	}
	return ""
}

func (c *consumer) wants(s *stored) bool {
	return len(c.filters) == 0 ||
		slices.ContainsFunc(c.filters, func(p pattern) bool { return p.matches(s.Subject) })
}

// dispatch gives out what may be given: first what comes again, then new
// messages as long as not too many are open.
func (c *consumer) dispatch() {
	c.stream.expire(time.Now())
	for {
		p := c.puller()
		if p == nil {
			return
		}
		h := c.take()
		if h == nil {
			return
		}
		c.turn++
		c.later(h, c.cfg.AckWait)
		p.box.put(&delivery{conn: p.conn, consumer: c, sequence: h.message.Sequence, message: clone(h.message.Message)})
	}
}

// puller is whose turn it is, or nil when nobody can be reached.
func (c *consumer) puller() *puller {
	for i := range c.pullers {
		if p := c.pullers[(c.turn+i)%len(c.pullers)]; !p.conn.down.Load() {
			return p
		}
	}
	return nil
}

func (c *consumer) take() *held {
	for len(c.again) > 0 {
		h := c.again[0]
		c.again = c.again[1:]
		h.waiting = false
		if c.open[h.message.Sequence] == h && !h.message.gone {
			return h
		}
		delete(c.open, h.message.Sequence) // the stream's limits took it meanwhile
	}
	if len(c.open) >= c.cfg.MaxOpen {
		return nil
	}
	s := c.stream.from(c.next, c.wants)
	if s == nil {
		c.next = c.stream.last + 1
		return nil
	}
	c.next = s.Sequence + 1
	h := &held{message: s}
	c.open[s.Sequence] = h
	return h
}

// later gives a held message again after a while, unless it is acknowledged.
func (c *consumer) later(h *held, delay time.Duration) {
	if h.timer != nil {
		h.timer.Stop()
	}
	var timer *time.Timer
	timer = time.AfterFunc(delay, func() {
		c.stream.server.mu.Lock()
		defer c.stream.server.mu.Unlock()
		if h.timer == timer { // else it was set anew while this waited for the lock
			c.giveAgain(h)
			c.dispatch()
		}
	})
	h.timer = timer
}

func (c *consumer) giveAgain(h *held) {
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
	if c.open[h.message.Sequence] == h && !h.waiting {
		h.waiting = true
		c.again = append(c.again, h)
	}
}

// done ends a message: it is not given again, and leaves a work queue.
func (c *consumer) done(seq uint64) {
	h := c.open[seq]
	if h == nil {
		return
	}
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
	delete(c.open, seq)
	if c.stream.cfg.WorkQueue {
		c.stream.remove(h.message)
	}
	c.dispatch()
}

// puller is one that takes part in a consumer.
type puller struct {
	conn *Conn
	of   *consumer
	box  *mailbox[*delivery]
}

// Stop implements bus.Subscription. What was not handed over goes to others at
// once; from a connection that is cut, after its AckWait.
func (p *puller) Stop(ctx context.Context) error {
	p.conn.forget(p)
	p.leave()
	return p.box.wait(ctx)
}

func (p *puller) leave() {
	c := p.of
	c.stream.server.mu.Lock()
	defer c.stream.server.mu.Unlock()
	c.pullers = slices.DeleteFunc(c.pullers, func(other *puller) bool { return other == p })
	for _, d := range p.box.stop() {
		if h := c.open[d.sequence]; h != nil && !p.conn.down.Load() {
			c.giveAgain(h)
		}
	}
	c.dispatch()
}
