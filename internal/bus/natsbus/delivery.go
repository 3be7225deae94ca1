package natsbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// delivery is a message of a consumer.
type delivery struct {
	msg      jetstream.Msg
	sequence uint64
	link     *link
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

// Ack implements bus.Delivery. A second one has nothing to do. It does not wait
// for an answer, which would cost as much again as the delivery did and hold up
// whatever comes next: whoever takes messages must bear one that comes again.
func (d *delivery) Ack(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("acknowledge %s: %w", d.msg.Subject(), context.Cause(ctx))
	}
	if !d.link.get().connected {
		return fmt.Errorf("acknowledge %s: %w: the connection is away", d.msg.Subject(), bus.ErrUnavailable)
	}
	err := d.msg.Ack()
	if errors.Is(err, jetstream.ErrMsgAlreadyAckd) {
		return nil
	}
	return wrap(err, "acknowledge %s", d.msg.Subject())
}

func (d *delivery) Later(delay time.Duration) error {
	return wrap(d.msg.NakWithDelay(max(delay, 0)), "put off %s", d.msg.Subject())
}

func (d *delivery) Extend() error {
	return wrap(d.msg.InProgress(), "extend %s", d.msg.Subject())
}
