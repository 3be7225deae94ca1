package natsbus

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// delivery is a message of a consumer.
type delivery struct {
	msg      jetstream.Msg
	sequence uint64
}

// Message implements bus.Delivery. Its Reply is empty: the subject that JetStream
// puts there is for acknowledgements alone.
func (d *delivery) Message() bus.Message {
	return bus.Message{
		Subject: d.msg.Subject(),
		Header:  headerFromNATS(d.msg.Headers()),
		Data:    d.msg.Data(),
	}
}

func (d *delivery) Sequence() uint64 { return d.sequence }

// Ack implements bus.Delivery. A second one has nothing to do. It waits no longer
// than DefaultTimeout, whatever ctx allows: the answer may be lost with the
// server that gave it, and a handler that waits for it holds up all that follow.
func (d *delivery) Ack(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, DefaultTimeout)
	defer cancel()
	err := d.msg.DoubleAck(ctx)
	if errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
		return nil
	}
	if errors.Is(err, nats.ErrNoResponders) {
		// The stream or its consumer is being restored: the message comes again.
		return wrap(errors.Join(bus.ErrUnavailable, err), "acknowledge %s", d.msg.Subject())
	}
	return wrap(err, "acknowledge %s", d.msg.Subject())
}

func (d *delivery) Later(delay time.Duration) error {
	return wrap(d.msg.NakWithDelay(max(delay, 0)), "put off %s", d.msg.Subject())
}

func (d *delivery) Extend() error {
	return wrap(d.msg.InProgress(), "extend %s", d.msg.Subject())
}
