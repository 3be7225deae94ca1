package natsbus

import (
	"errors"
	"log/slog"

	"github.com/nats-io/nats.go"
)

// handlers follow the connection's state, and log what NATS tells nobody else.
func (b *Bus) handlers() []nats.Option {
	return []nats.Option{
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			b.link.set(false)
			if b.ended.Err() == nil {
				b.log.Warn("disconnected from the bus", "url", b.place, "error", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			b.settle() // connected means that we are heard: the server knows what we listen to
			if !nc.IsConnected() {
				return // lost again; the next reconnect tells
			}
			b.link.set(true)
			b.log.Info("connected to the bus again", "url", nc.ConnectedUrlRedacted())
			if err := b.checkPayload(); err != nil {
				b.log.Error("the bus cannot carry every message", "error", err)
			}
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			b.log.Debug("still not connected to the bus", "url", b.place, "error", err)
		}),
		nats.ErrorHandler(b.asyncError),
		nats.ClosedHandler(func(*nats.Conn) {
			b.link.set(false)
			close(b.closed)
		}),
	}
}

// asyncError logs what a connection learns between calls: messages lost because
// a handler is slow, and permissions that are missing.
func (b *Bus) asyncError(_ *nats.Conn, sub *nats.Subscription, err error) {
	attrs := []any{slog.Any("error", err)}
	if sub != nil {
		attrs = append(attrs, slog.String("subject", sub.Subject))
	}
	switch {
	case errors.Is(err, nats.ErrSlowConsumer):
		if sub != nil {
			if dropped, e := sub.Dropped(); e == nil {
				attrs = append(attrs, slog.Int("dropped", dropped))
			}
		}
		b.log.Warn("a handler is too slow, messages are lost", attrs...)
	case errors.Is(err, nats.ErrPermissionViolation):
		b.log.Error("the bus does not permit this", attrs...)
	default:
		b.log.Warn("the bus reports an error", attrs...)
	}
}
