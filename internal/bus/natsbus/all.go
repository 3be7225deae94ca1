package natsbus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
)

const (
	// A page is what is asked for at once; the server ends it after either.
	pageMessages = 256
	pageBytes    = 4 << 20
	// pagePatience is how long a page may stall before its rest is asked for
	// again: the server that was sending it may be gone.
	pagePatience = 2 * time.Second
)

// All implements bus.Durable. It reads pages from whichever replica answers
// (ADR-31) and has the stream's leader confirm the end, since a replica may be
// behind. Unlike a consumer it can read a work queue, and leaves nothing on the
// server.
func (b *Bus) All(ctx context.Context, stream, subject string) iter.Seq2[bus.Stored, error] {
	return func(yield func(bus.Stored, error) bool) {
		r := &reader{bus: b, stream: stream, subject: subject, next: 1, yield: yield}
		if err := r.run(ctx); err != nil {
			yield(bus.Stored{}, wrap(err, "all messages on %s of %s", subject, stream))
		}
	}
}

// reader is one run through a stream.
type reader struct {
	bus             *Bus
	stream, subject string
	next            uint64 // the first sequence not yet read
	end             uint64 // the last one to read
	yield           func(bus.Stored, error) bool
	stopped         bool // the caller has had enough
}

func (r *reader) run(ctx context.Context) error {
	if r.subject == "" {
		return errors.New("no subject is given; > is all of them")
	}
	if err := r.begin(ctx); err != nil {
		return err
	}
	for r.next <= r.end {
		from := r.next
		if err := r.page(ctx); err != nil || r.stopped {
			return err
		}
		if r.next > from {
			continue
		}
		m, err := r.leader(ctx)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if r.give(m); r.stopped {
			return nil
		}
	}
	return ctx.Err()
}

// begin asks the leader how far to read.
func (r *reader) begin(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	s, err := r.bus.js.Stream(ctx, r.stream)
	if err != nil {
		return err
	}
	r.end = s.CachedInfo().State.LastSeq
	return nil
}

// give passes a message on, if it is not beyond the end.
func (r *reader) give(m bus.Stored) {
	r.next = max(r.next, m.Sequence) + 1
	if m.Sequence <= r.end {
		r.stopped = !r.yield(m, nil)
	}
}

// page gives a page of messages, or fewer: none if the stream may not be read
// directly, or the server that answers has no more.
func (r *reader) page(ctx context.Context) error {
	body, err := json.Marshal(query{r.next, r.subject, pageMessages, pageBytes})
	if err != nil {
		return err
	}
	inbox := r.bus.nc.NewInbox()
	sub, err := r.bus.nc.SubscribeSync(inbox)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only when the connection has ended
	if err := r.bus.nc.PublishRequest("$JS.API.DIRECT.GET."+r.stream, inbox, body); err != nil {
		return err
	}
	for !r.stopped {
		reply, err := r.reply(ctx, sub)
		if err != nil || reply == nil {
			return err
		}
		m, err := direct(reply)
		if err != nil {
			return err
		}
		r.give(m)
	}
	return nil
}

// reply is the page's next message, or nil at its end.
func (r *reader) reply(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	bound, cancel := context.WithTimeout(ctx, pagePatience)
	defer cancel()
	m, err := sub.NextMsgWithContext(bound)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrNoResponders):
		return nil, nil
	case err != nil:
		return nil, err
	case len(m.Data) == 0 && m.Header.Get("Status") != "":
		return nil, nil // no (more) messages, or a request that it refuses: the leader says what it is
	}
	return m, nil
}

// direct reads what a direct get adds to a message's headers.
func direct(m *nats.Msg) (bus.Stored, error) {
	seq, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
	if err != nil {
		return bus.Stored{}, fmt.Errorf("a message without its sequence: %w", err)
	}
	at, err := time.Parse(time.RFC3339Nano, m.Header.Get(jetstream.TimeStampHeaer))
	if err != nil {
		return bus.Stored{}, fmt.Errorf("a message without its time: %w", err)
	}
	stored := bus.Stored{Sequence: seq, At: at}
	stored.Subject = m.Header.Get(jetstream.SubjectHeader)
	for _, name := range []string{jetstream.SequenceHeader, jetstream.TimeStampHeaer, jetstream.SubjectHeader,
		jetstream.StreamHeader, "Nats-Num-Pending", jetstream.LastSequenceHeader} {
		m.Header.Del(name)
	}
	stored.Header, stored.Data = headerFromNATS(m.Header), m.Data
	return stored, nil
}
