package natsbus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// Close implements bus.Bus. Consumers stop first, so that what they hold and
// have not begun goes back to its stream at once; then the connection sends
// what is left and closes. Calling it again does nothing.
func (b *Bus) Close(ctx context.Context) error {
	b.mu.Lock()
	again := b.closing
	b.closing = true
	b.mu.Unlock()
	if again {
		return nil
	}
	b.end()
	err := b.stopAll(ctx)
	switch e := b.nc.Drain(); {
	case errors.Is(e, nats.ErrConnectionClosed):
		return err
	case e != nil:
		b.nc.Close()
		err = errors.Join(err, wrap(e, "closing: what was not sent is lost"))
	}
	select {
	case <-b.closed:
		return err
	case <-ctx.Done():
		b.nc.Close()
		return errors.Join(err, fmt.Errorf("closing the bus: what was not sent is lost: %w", context.Cause(ctx)))
	}
}

// stopAll stops all subscriptions at once.
func (b *Bus) stopAll(ctx context.Context) error {
	b.mu.Lock()
	subs := make([]bus.Subscription, 0, len(b.subs))
	for s := range b.subs {
		subs = append(subs, s)
	}
	b.mu.Unlock()
	errs := make(chan error, len(subs))
	for _, s := range subs {
		go func() { errs <- s.Stop(ctx) }()
	}
	var all error
	for range subs {
		all = errors.Join(all, <-errs)
	}
	return all
}

// track has Close stop a subscription. When Close has begun already, it is
// stopped here, and refused.
func (b *Bus) track(s bus.Subscription) error {
	b.mu.Lock()
	closing := b.closing
	if !closing {
		b.subs[s] = struct{}{}
	}
	b.mu.Unlock()
	if !closing {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), DefaultTimeout)
	defer cancel()
	return errors.Join(fmt.Errorf("%w: the connection is being closed", bus.ErrUnavailable), s.Stop(ctx))
}

func (b *Bus) untrack(s bus.Subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.subs, s)
}
