package natsbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Bus is a connection to NATS.
type Bus struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	log   *slog.Logger
	place string // where it is connected to, for errors and logs

	link   *link
	ended  context.Context // ends when Close begins
	end    context.CancelFunc
	closed chan struct{} // closed when the connection is

	markerTTL time.Duration

	mu      sync.Mutex
	closing bool                          // Close was called
	subs    map[bus.Subscription]struct{} // what Close stops
	streams map[string]jetstream.Stream   // handles by name, found once
	buckets map[string]jetstream.KeyValue // handles by name, found once
}

// Connect connects and checks that the bus can carry shunt's messages. It tries
// until ctx ends; credentials that are refused are an error at once.
func Connect(ctx context.Context, cfg Config) (*Bus, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	opts, err := cfg.options()
	if err != nil {
		return nil, err
	}
	b := &Bus{
		log: cfg.Logger.With("part", "bus"), place: cfg.place(),
		link: newLink(), closed: make(chan struct{}), markerTTL: markerTTL,
		subs:    map[bus.Subscription]struct{}{},
		streams: map[string]jetstream.Stream{},
		buckets: map[string]jetstream.KeyValue{},
	}
	b.ended, b.end = context.WithCancel(context.Background())
	if b.nc, err = b.dial(ctx, cfg.URL, append(opts, b.handlers()...)); err != nil {
		b.end()
		return nil, err
	}
	if err := b.checkPayload(); err != nil {
		b.abandon()
		return nil, err
	}
	if b.js, err = jetstream.New(b.nc, jetstream.WithDefaultTimeout(DefaultTimeout)); err != nil {
		b.abandon()
		return nil, fmt.Errorf("nats: JetStream: %w", err)
	}
	return b, nil
}

// dial tries until it is connected. The client's own RetryOnFailedConnect is not
// used: it returns a connection that is not one, and hides why.
func (b *Bus) dial(ctx context.Context, url string, opts []nats.Option) (*nats.Conn, error) {
	level := slog.LevelWarn // once: that it goes on like that is no news
	var last error
	nc, err := backoff.Retry(ctx, func() (*nats.Conn, error) {
		nc, err := nats.Connect(url, opts...)
		if last = err; refused(err) {
			err = backoff.Permanent(err)
		}
		return nc, err
	}, backoff.WithBackOff(newPause()), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, d time.Duration) {
		b.log.Log(ctx, level, "not connected yet; trying on", "url", b.place, "error", err, "again_in", d)
		level = slog.LevelDebug
	}))
	switch {
	case err == nil:
		b.link.set(true)
		return nc, nil
	case refused(last):
		return nil, fmt.Errorf("nats at %s refuses this client: %w; check the credentials and the account", b.place, last)
	}
	return nil, fmt.Errorf("%w: nats at %s: %w (%w); check the address, the firewall, and that the server runs",
		bus.ErrUnavailable, b.place, last, err)
}

// refused are the answers that waiting does not mend.
func refused(err error) bool {
	for _, e := range []error{nats.ErrAuthorization, nats.ErrAuthExpired, nats.ErrAuthRevoked,
		nats.ErrAccountAuthExpired, nats.ErrNkeysNotSupported, nats.ErrSecureConnRequired, nats.ErrSecureConnWanted} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (b *Bus) checkPayload() error {
	if limit := b.nc.MaxPayload(); limit < messages.MaxBusPayload {
		return fmt.Errorf("nats at %s allows messages of %d bytes, shunt needs %d: set `max_payload: 1MB` in the server's configuration",
			b.place, limit, messages.MaxBusPayload)
	}
	return nil
}

// abandon closes a connection that never served.
func (b *Bus) abandon() {
	b.end()
	b.nc.Close()
}

// Connection implements bus.Bus.
func (b *Bus) Connection() (connected bool, since time.Time) {
	s := b.link.get()
	return s.connected, s.since
}
