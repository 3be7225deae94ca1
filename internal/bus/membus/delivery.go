package membus

import (
	"context"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// delivery is a message of a consumer.
type delivery struct {
	conn     *Conn
	consumer *consumer
	sequence uint64
	message  bus.Message
}

func (d *delivery) Message() bus.Message { return d.message }

func (d *delivery) Sequence() uint64 { return d.sequence }

// Ack implements bus.Delivery. Whoever has the message may acknowledge it, and
// who had it before: as with NATS, an acknowledgement is no fence.
func (d *delivery) Ack(ctx context.Context) error {
	return d.tell(ctx, "acknowledge", func(*held) { d.consumer.done(d.sequence) })
}

func (d *delivery) Later(delay time.Duration) error {
	return d.tell(context.Background(), "put off", func(h *held) {
		if delay > 0 {
			d.consumer.later(h, delay)
			return
		}
		d.consumer.giveAgain(h)
		d.consumer.dispatch()
	})
}

func (d *delivery) Extend() error {
	return d.tell(context.Background(), "extend", func(h *held) {
		if !h.waiting {
			d.consumer.later(h, d.consumer.cfg.AckWait)
		}
	})
}

// tell does something to the message while it is open.
func (d *delivery) tell(ctx context.Context, verb string, do func(*held)) error {
	if err := d.conn.open(ctx); err != nil {
		return fmt.Errorf("%s %s: %w", verb, d.message.Subject, err)
	}
	s := d.consumer.stream.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := d.consumer.open[d.sequence]; h != nil {
		do(h)
	}
	return nil
}
