package membus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Conn is a connection to a Server.
type Conn struct {
	server *Server
	name   string
	ended  chan struct{} // closed by Close
	down   atomic.Bool   // cut; changes under the server's lock

	mu     sync.Mutex
	subs   map[bus.Subscription]struct{}
	closed bool
	link   link
}

// Close implements bus.Bus.
func (c *Conn) Close(ctx context.Context) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	subs := make([]bus.Subscription, 0, len(c.subs))
	for s := range c.subs {
		subs = append(subs, s)
	}
	c.mu.Unlock()
	var errs []error
	for _, s := range subs {
		errs = append(errs, s.Stop(ctx))
	}
	close(c.ended)
	c.mu.Lock()
	c.link = c.link.to(false)
	c.mu.Unlock()
	return errors.Join(errs...)
}

// over tells that the connection is closed for good.
func (c *Conn) over() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// open refuses work on a connection that is closed or cut, or for a context that
// has ended. While Close waits for handlers, they can still answer.
func (c *Conn) open(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	switch {
	case c.over():
		return fmt.Errorf("%w: connection %q is closed", bus.ErrUnavailable, c.name)
	case c.down.Load():
		return fmt.Errorf("%w: connection %q is cut", bus.ErrUnavailable, c.name)
	}
	return nil
}

// begin adds a subscription, unless the connection is being closed.
func (c *Conn) begin(s bus.Subscription) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fmt.Errorf("%w: connection %q is closed", bus.ErrUnavailable, c.name)
	}
	c.subs[s] = struct{}{}
	return nil
}

func (c *Conn) forget(s bus.Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.subs, s)
}

// send checks a message and publishes it.
func (c *Conn) send(ctx context.Context, m bus.Message) (heard int, seq uint64, err error) {
	if err := c.check(ctx, m); err != nil {
		return 0, 0, err
	}
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	return c.server.publish(m)
}

func (c *Conn) check(ctx context.Context, m bus.Message) error {
	if err := c.open(ctx); err != nil {
		return err
	}
	if err := checkSubject(m.Subject, false); err != nil {
		return err
	}
	if n := size(m); n > maxPayload {
		return fmt.Errorf("%w: %d bytes with headers, %d are allowed", bus.ErrTooLarge, n, maxPayload)
	}
	return nil
}

// size is the message's on the wire, as NATS counts it.
func size(m bus.Message) int {
	n := len(m.Data)
	if len(m.Header) > 0 {
		n += len("NATS/1.0\r\n\r\n")
	}
	for name, value := range m.Header {
		n += len(name) + len(": ") + len(value) + len("\r\n")
	}
	return n
}

// Publish implements bus.Core. A stream that holds the subject and refuses the
// message says so to nobody, as with NATS.
func (c *Conn) Publish(ctx context.Context, m bus.Message) error {
	if err := c.check(ctx, m); err != nil {
		return fmt.Errorf("publish on %s: %w", m.Subject, err)
	}
	_, _, _ = c.send(ctx, m)
	return nil
}

// Probe implements bus.Core.
func (c *Conn) Probe(ctx context.Context, m bus.Message, gone func()) error {
	if err := c.check(ctx, m); err != nil {
		return fmt.Errorf("probe %s: %w", m.Subject, err)
	}
	m.Reply = c.server.inbox()
	if heard, _, _ := c.send(ctx, m); heard == 0 {
		go gone()
	}
	return nil
}

// Request implements bus.Core.
func (c *Conn) Request(ctx context.Context, m bus.Message) (bus.Message, error) {
	if err := c.check(ctx, m); err != nil {
		return bus.Message{}, fmt.Errorf("request on %s: %w", m.Subject, err)
	}
	m.Reply = c.server.inbox()
	answer := make(chan bus.Message, 1)
	back := &route{conn: c, subject: m.Reply, deliver: func(reply bus.Message) {
		select {
		case answer <- reply:
		default: // one answer is all that is wanted
		}
	}}
	heard := c.ask(m, back)
	defer c.server.unroute(back)
	if heard == 0 {
		return bus.Message{}, fmt.Errorf("request on %s: %w", m.Subject, bus.ErrNoResponders)
	}
	select {
	case reply := <-answer:
		if len(reply.Data) == 0 && reply.Header[messages.HeaderStatus] == statusNoResponders {
			return bus.Message{}, fmt.Errorf("request on %s: %w", m.Subject, bus.ErrNoResponders)
		}
		return reply, nil
	case <-ctx.Done():
		return bus.Message{}, fmt.Errorf("request on %s: %w", m.Subject, context.Cause(ctx))
	case <-c.ended:
		return bus.Message{}, fmt.Errorf("request on %s: %w: connection %q was closed", m.Subject, bus.ErrUnavailable, c.name)
	}
}

// ask publishes a request; a stream that holds the subject answers as JetStream
// does.
func (c *Conn) ask(m bus.Message, back *route) (heard int) {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.routes.add(back)
	heard, seq, err := s.publish(m)
	if st := s.holder(m.Subject); st != nil {
		body := fmt.Sprintf(`{"stream":%q,"seq":%d}`, st.cfg.Name, seq)
		if err != nil {
			body = fmt.Sprintf(`{"error":{"code":503,"description":%q}}`, err)
		}
		back.deliver(bus.Message{Subject: m.Reply, Data: []byte(body)})
	}
	return heard
}

// inbox is a subject that nobody else listens on.
func (s *Server) inbox() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inboxes++
	return "_INBOX." + strconv.FormatUint(s.inboxes, 10)
}

func (s *Server) unroute(routes ...*route) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range routes {
		s.routes.remove(r)
	}
}
