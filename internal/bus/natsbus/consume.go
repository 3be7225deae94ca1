package natsbus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/internal/gate"
)

const (
	defaultAckWait = 30 * time.Second
	defaultMaxOpen = 1000
	// prefetch is how many messages one consumer may hold before its handler;
	// few enough that several consumers share a short queue.
	prefetch = 256
	// pullHeartbeat is how often the server tells that a pull still stands; one
	// that it forgot is made again after missing two.
	pullHeartbeat = 3 * time.Second
)

// Consume implements bus.Durable by a durable pull consumer, which it makes or
// updates, and makes again should it vanish.
func (b *Bus) Consume(ctx context.Context, c bus.Consumer, handler func(bus.Delivery)) (bus.Subscription, error) {
	if c.Stream == "" || c.Name == "" {
		return nil, fmt.Errorf("consume: stream %q and name %q are both needed", c.Stream, c.Name)
	}
	s := &consumer{bus: b, of: c, handler: handler, trouble: make(chan struct{}, 1), done: make(chan struct{})}
	s.alive, s.stop = context.WithCancel(context.Background())
	ctx, cancel := bounded(ctx)
	defer cancel()
	running, err := s.start(ctx)
	if err != nil {
		s.stop()
		return nil, err
	}
	go s.keep(running)
	if err := b.track(s); err != nil {
		return nil, wrap(err, "consumer %s of %s", c.Name, c.Stream)
	}
	return s, nil
}

// consumer keeps a durable consumer and its pulling alive.
type consumer struct {
	bus     *Bus
	of      bus.Consumer
	handler func(bus.Delivery)
	gate    gate.Gate
	trouble chan struct{} // the server says something is wrong: look

	alive context.Context
	stop  context.CancelFunc
	done  chan struct{} // closed when keep has ended

	logged sync.Map // kinds of trouble that were logged since it last went well
}

func (s *consumer) config() jetstream.ConsumerConfig {
	cfg := jetstream.ConsumerConfig{
		Durable:        s.of.Name,
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        s.of.AckWait,
		MaxAckPending:  s.of.MaxOpen,
		MaxDeliver:     -1,
		FilterSubjects: s.of.Filters,
	}
	if cfg.AckWait == 0 {
		cfg.AckWait = defaultAckWait
	}
	if cfg.MaxAckPending == 0 {
		cfg.MaxAckPending = defaultMaxOpen
	}
	return cfg
}

// start makes sure of the durable consumer and pulls from it.
func (s *consumer) start(ctx context.Context) (jetstream.ConsumeContext, error) {
	c, err := s.ensure(ctx)
	if err != nil {
		return nil, err
	}
	running, err := c.Consume(s.deliver,
		jetstream.PullMaxMessages(min(prefetch, s.config().MaxAckPending)),
		jetstream.PullHeartbeat(pullHeartbeat),
		jetstream.ConsumeErrHandler(s.report))
	return running, wrap(err, "consumer %s of %s", s.of.Name, s.of.Stream)
}

func (s *consumer) ensure(ctx context.Context) (jetstream.Consumer, error) {
	c, err := s.bus.js.CreateOrUpdateConsumer(ctx, s.of.Stream, s.config())
	return c, wrap(err, "consumer %s of %s", s.of.Name, s.of.Stream)
}

// deliver hands over a message; one that comes while the consumer stops goes
// back, for another to have at once.
func (s *consumer) deliver(m jetstream.Msg) {
	if !s.gate.Enter() {
		if err := m.Nak(); err != nil {
			s.bus.log.Debug("a message goes back only after its ack wait", "subject", m.Subject(), "error", err)
		}
		return
	}
	defer s.gate.Leave()
	meta, err := m.Metadata()
	if err != nil {
		s.bus.log.Error("a delivery without metadata", "subject", m.Subject(), "error", err)
		return
	}
	s.handler(&delivery{msg: m, sequence: meta.Sequence.Stream, link: s.bus.link})
}

// report takes what goes wrong while pulling, and has keep look after it.
func (s *consumer) report(_ jetstream.ConsumeContext, err error) {
	if s.alive.Err() != nil || errors.Is(err, jetstream.ErrServerShutdown) || errors.Is(err, jetstream.ErrConnectionClosed) {
		return
	}
	s.warn("trouble consuming", err)
	select {
	case s.trouble <- struct{}{}:
	default:
	}
}

// warn logs trouble once until it went well.
func (s *consumer) warn(what string, err error, more ...any) {
	if _, again := s.logged.LoadOrStore(err.Error(), true); !again {
		s.bus.log.With("stream", s.of.Stream, "consumer", s.of.Name, "error", err).Warn(what, more...)
	}
}

// keep looks after the consumer until it is stopped: whenever the connection
// comes back, pulling ends or there is trouble, it makes sure that the durable
// consumer is there and somebody pulls.
func (s *consumer) keep(running jetstream.ConsumeContext) {
	defer close(s.done)
	var retry <-chan time.Time
	pause := newPause()
	for {
		link := s.bus.link.get()
		select {
		case <-s.alive.Done():
			s.drain(running)
			return
		case <-link.changed:
		case <-s.trouble:
		case <-closedOf(running):
			running = nil
		case <-retry:
		}
		retry = nil
		if !s.bus.link.get().connected {
			continue
		}
		var err error
		if running, err = s.renew(running); err == nil {
			pause.Reset()
		} else if s.alive.Err() == nil {
			d := pause.NextBackOff()
			s.warn("consumer not there yet", err, "again_in", d)
			retry = time.After(d)
		}
	}
}

// closedOf is nil, which never tells, when nobody pulls.
func closedOf(running jetstream.ConsumeContext) <-chan struct{} {
	if running == nil {
		return nil
	}
	return running.Closed()
}

func (s *consumer) renew(running jetstream.ConsumeContext) (jetstream.ConsumeContext, error) {
	ctx, cancel := bounded(s.alive)
	defer cancel()
	if running == nil {
		started, err := s.start(ctx)
		if err != nil {
			return nil, err
		}
		s.logged.Clear()
		return started, nil
	}
	_, err := s.ensure(ctx)
	if err == nil {
		s.logged.Clear()
	}
	return running, err
}

// drain stops pulling and gives back what was pulled and not begun.
func (s *consumer) drain(running jetstream.ConsumeContext) {
	if running == nil {
		return
	}
	if !s.bus.link.get().connected {
		running.Stop() // nobody is there to take anything back; Drain would wait for that
		return
	}
	running.Drain()
	select {
	case <-running.Closed():
	case <-s.bus.closed:
	}
}

// Stop implements bus.Subscription. Called by the handler itself it can only
// return when ctx ends.
func (s *consumer) Stop(ctx context.Context) error {
	s.gate.Shut()
	s.bus.untrack(s)
	s.stop()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stopping consumer %s of %s: %w", s.of.Name, s.of.Stream, context.Cause(ctx))
	}
}
