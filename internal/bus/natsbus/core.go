package natsbus

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/internal/gate"
)

// Publish implements bus.Core. It hands the message to the connection; that the
// server has it is not known when it returns.
func (b *Bus) Publish(ctx context.Context, m bus.Message) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("publish on %s: %w", m.Subject, context.Cause(ctx))
	}
	return wrap(b.nc.PublishMsg(toNATS(m)), "publish on %s", m.Subject)
}

// Request implements bus.Core.
func (b *Bus) Request(ctx context.Context, m bus.Message) (bus.Message, error) {
	reply, err := b.nc.RequestMsgWithContext(ctx, toNATS(m))
	if err != nil {
		return bus.Message{}, wrap(err, "request on %s", m.Subject)
	}
	return fromNATS(reply), nil
}

// Subscribe implements bus.Core.
func (b *Bus) Subscribe(subject string, handler func(bus.Message)) (bus.Subscription, error) {
	s := &subscription{bus: b}
	sub, err := b.nc.Subscribe(subject, func(m *nats.Msg) {
		if s.gate.Enter() {
			defer s.gate.Leave()
			handler(fromNATS(m))
		}
	})
	if err != nil {
		return nil, wrap(err, "subscribe to %s", subject)
	}
	s.sub = sub
	if err := sub.SetPendingLimits(pendingMessages, pendingBytes); err != nil {
		return nil, wrap(err, "subscribe to %s: pending limits", subject)
	}
	b.settle()
	if err := b.track(s); err != nil {
		return nil, wrap(err, "subscribe to %s", subject)
	}
	return s, nil
}

// settle returns when the server knows of the subscriptions made so far, so that
// what others send from now on is heard. While the connection is away there is
// nothing to wait for: the client subscribes again when it is back.
func (b *Bus) settle() {
	ctx, cancel := context.WithTimeout(b.ended, DefaultTimeout)
	defer cancel()
	if err := b.nc.FlushWithContext(ctx); err != nil {
		b.log.Debug("a subscription waits for the bus", "error", err)
	}
}

// subscription is one to a subject.
type subscription struct {
	bus  *Bus
	sub  *nats.Subscription
	gate gate.Gate
}

// Stop implements bus.Subscription. Called by the handler itself it can only
// return when ctx ends.
func (s *subscription) Stop(ctx context.Context) error {
	s.gate.Shut()
	s.bus.untrack(s)
	// An error means that the connection has ended, and the subscription with it.
	_ = s.sub.Unsubscribe()
	return s.gate.Wait(ctx)
}
