package membus

import (
	"context"
	"errors"
	"fmt"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// statusNoResponders is what NATS answers when nobody listens.
const statusNoResponders = "503"

// Serve implements bus.Core.
func (c *Conn) Serve(s bus.Service) (bus.Subscription, error) {
	if s.Name == "" || s.Version == "" {
		return nil, fmt.Errorf("service: name %q and version %q are both needed", s.Name, s.Version)
	}
	served := &service{conn: c}
	for _, e := range s.Endpoints {
		if err := checkSubject(e.Subject, true); err != nil {
			return nil, fmt.Errorf("service %s: endpoint %s: %w", s.Name, e.Name, err)
		}
		served.add(e)
	}
	if err := c.begin(served); err != nil {
		return nil, fmt.Errorf("service %s: %w", s.Name, err)
	}
	for _, r := range served.routes {
		c.server.route(r)
	}
	return served, nil
}

// service is one that is being served, with a mailbox for each endpoint.
type service struct {
	conn   *Conn
	routes []*route
	boxes  []*mailbox[bus.Message]
}

func (s *service) add(e bus.Endpoint) {
	box := &mailbox[bus.Message]{handle: func(m bus.Message) {
		e.Handler(request{conn: s.conn, message: m})
	}}
	s.boxes = append(s.boxes, box)
	s.routes = append(s.routes, &route{conn: s.conn, subject: e.Subject, queue: e.Queue, deliver: box.put})
}

// Stop implements bus.Subscription. Who asked and was not heard is told that
// nobody answers.
func (s *service) Stop(ctx context.Context) error {
	s.conn.server.unroute(s.routes...)
	s.conn.forget(s)
	for _, box := range s.boxes {
		for _, unheard := range box.stop() {
			none := bus.Message{Header: bus.Header{messages.HeaderStatus: statusNoResponders}}
			if unheard.Reply != "" {
				_ = request{conn: s.conn, message: unheard}.Respond(none) // the asker may be gone
			}
		}
	}
	var errs []error
	for _, box := range s.boxes {
		errs = append(errs, box.wait(ctx))
	}
	return errors.Join(errs...)
}

// request is one to an endpoint.
type request struct {
	conn    *Conn
	message bus.Message
}

func (r request) Message() bus.Message { return r.message }

func (r request) Respond(m bus.Message) error {
	if r.message.Reply == "" {
		return fmt.Errorf("answer on %s: the request wants no answer", r.message.Subject)
	}
	m.Subject, m.Reply = r.message.Reply, ""
	if _, _, err := r.conn.send(context.Background(), m); err != nil {
		return fmt.Errorf("answer on %s: %w", r.message.Subject, err)
	}
	return nil
}

func (r request) Fail(code, description string, body []byte, header bus.Header) error {
	if code == "" || description == "" {
		return fmt.Errorf("answer on %s: code %q and description %q are both needed", r.message.Subject, code, description)
	}
	all := bus.Header{messages.HeaderErrorCode: code, messages.HeaderError: description}
	for name, value := range header {
		all[name] = value
	}
	return r.Respond(bus.Message{Header: all, Data: body})
}
