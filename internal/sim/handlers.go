package sim

import (
	"context"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
)

// Subscribe implements bus.Core.
func (b busPort) Subscribe(subject string, handler func(bus.Message)) (bus.Subscription, error) {
	return ask(b.l, "Bus.Subscribe", func() (bus.Subscription, error) {
		return b.l.link.subscribe(func(c *membus.Conn) (bus.Subscription, error) {
			return c.Subscribe(subject, func(m bus.Message) {
				if b.l.link.hears() && !b.l.missed(subject) {
					handler(b.l.in(m))
				}
			})
		})
	})
}

// missed tells whether a message got lost on the last of its way, so that
// others have heard it and this process has not.
func (l *life) missed(subject string) bool {
	if isHeartbeat(subject) {
		return false
	}
	n := l.p.count("heard " + subject)
	return l.s.faulty() && l.s.cfg.Faults[Loss] && l.s.dice.chance(30, "missed/"+subject, l.p.name, n)
}

// Serve implements bus.Core.
func (b busPort) Serve(s bus.Service) (bus.Subscription, error) {
	endpoints := make([]bus.Endpoint, len(s.Endpoints))
	for i, e := range s.Endpoints {
		endpoints[i] = e
		endpoints[i].Handler = func(r bus.Request) {
			if b.l.link.hears() {
				e.Handler(requestPort{b.l, r, b.l.in(r.Message())})
			}
		}
	}
	s.Endpoints = endpoints
	return ask(b.l, "Bus.Serve", func() (bus.Subscription, error) {
		return b.l.link.subscribe(func(c *membus.Conn) (bus.Subscription, error) { return c.Serve(s) })
	})
}

// Consume implements bus.Durable.
func (b busPort) Consume(ctx context.Context, of bus.Consumer, handler func(bus.Delivery)) (bus.Subscription, error) {
	return durable(ctx, b.l, "Bus.Consume", func(ctx context.Context, _ *membus.Conn) (bus.Subscription, error) {
		return b.l.link.subscribe(func(c *membus.Conn) (bus.Subscription, error) {
			return c.Consume(context.WithoutCancel(ctx), of, func(d bus.Delivery) {
				if b.l.link.hears() {
					handler(deliveryPort{b.l, d, b.l.in(d.Message())})
				}
			})
		})
	})
}

// requestPort is a request as the process that answers it sees it.
type requestPort struct {
	l     *life
	inner bus.Request
	m     bus.Message
}

// Message implements bus.Request.
func (r requestPort) Message() bus.Message {
	return know(r.l, "Request.Message", func() bus.Message { return r.m })
}

// Respond implements bus.Request.
func (r requestPort) Respond(m bus.Message) error {
	return r.answer("Request.Respond", func() error { return r.inner.Respond(r.l.out(m)) })
}

// Fail implements bus.Request.
func (r requestPort) Fail(code, description string, body []byte, header bus.Header) error {
	return r.answer("Request.Fail", func() error {
		return r.inner.Fail(code, description, r.l.out(bus.Message{Data: body}).Data, header)
	})
}

// answer sends an answer, which may get lost.
func (r requestPort) answer(call string, f func() error) error {
	n, ok := r.l.enter(call)
	if !ok {
		return errCrashed
	}
	var err error
	if fate := r.l.fateOf(call, n, false); fate == arrives || fate == twice {
		err = f()
	}
	return r.l.leave(call, n, err)
}

// deliveryPort is a delivery as the process that got it sees it.
type deliveryPort struct {
	l     *life
	inner bus.Delivery
	m     bus.Message
}

// Message implements bus.Delivery.
func (d deliveryPort) Message() bus.Message {
	return know(d.l, "Delivery.Message", func() bus.Message { return d.m })
}

// Sequence implements bus.Delivery.
func (d deliveryPort) Sequence() uint64 {
	return know(d.l, "Delivery.Sequence", d.inner.Sequence)
}

// Ack implements bus.Delivery. An acknowledgement that got lost leads to the
// message coming again.
func (d deliveryPort) Ack(ctx context.Context) error {
	_, err := durable(ctx, d.l, "Delivery.Ack", func(ctx context.Context, _ *membus.Conn) (struct{}, error) {
		return struct{}{}, d.inner.Ack(ctx)
	})
	return err
}

// Later implements bus.Delivery.
func (d deliveryPort) Later(delay time.Duration) error {
	return d.l.do("Delivery.Later", func() error { return d.inner.Later(delay) })
}

// Extend implements bus.Delivery.
func (d deliveryPort) Extend() error { return d.l.do("Delivery.Extend", d.inner.Extend) }
