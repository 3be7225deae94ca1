package natsbus

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// probePatience is how long a probe waits for the server to say that nobody
// listens; the server says so at once.
const probePatience = 5 * time.Second

// noResponders is the status with which the server answers a message that has a
// reply subject and no listener.
const noResponders = "503"

// Probe implements bus.Core. The message carries a reply subject of its own,
// on which the server reports that there are no responders.
func (b *Bus) Probe(ctx context.Context, m bus.Message, gone func()) error {
	inbox := b.nc.NewInbox()
	sub, err := b.nc.Subscribe(inbox, func(reply *nats.Msg) {
		if len(reply.Data) == 0 && reply.Header.Get("Status") == noResponders {
			gone()
		}
	})
	if err != nil {
		return wrap(err, "probe %s", m.Subject)
	}
	// One answer at the most; without one, the subscription goes by itself.
	_ = sub.AutoUnsubscribe(1)
	time.AfterFunc(probePatience, func() { _ = sub.Unsubscribe() })
	m.Reply = inbox
	return b.Publish(ctx, m)
}
