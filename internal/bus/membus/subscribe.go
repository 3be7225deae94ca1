package membus

import (
	"context"
	"fmt"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// Subscribe implements bus.Core.
func (c *Conn) Subscribe(subject string, handler func(bus.Message)) (bus.Subscription, error) {
	if err := checkSubject(subject, true); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	s := &subscription{conn: c, box: &mailbox[bus.Message]{handle: handler}}
	s.route = &route{conn: c, subject: subject, deliver: s.box.put}
	if err := c.begin(s); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	c.server.route(s.route)
	return s, nil
}

func (s *Server) route(r *route) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.routes.add(r)
}

// subscription is one to a subject.
type subscription struct {
	conn  *Conn
	route *route
	box   *mailbox[bus.Message]
}

// Stop implements bus.Subscription.
func (s *subscription) Stop(ctx context.Context) error {
	s.conn.server.unroute(s.route)
	s.conn.forget(s)
	s.box.stop()
	return s.box.wait(ctx)
}
