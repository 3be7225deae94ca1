package natsbus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// Append implements bus.Durable.
func (b *Bus) Append(ctx context.Context, m bus.Message) (uint64, error) {
	m.Reply = "" // the acknowledgement goes to an inbox of the client's
	sequence, err := b.store(ctx, toNATS(m))
	switch {
	case err == nil:
		return sequence, nil
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		return 0, fmt.Errorf("append on %s: %w: no stream holds the subject: %w", m.Subject, bus.ErrNotFound, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return 0, fmt.Errorf("append on %s: not acknowledged, it may still take effect: %w", m.Subject, err)
	}
	if conflict := conflictOn(m.Subject, err); conflict != nil {
		return 0, fmt.Errorf("append on %s: %w: %w", m.Subject, conflict, err)
	}
	return 0, wrap(err, "append on %s", m.Subject)
}

// conflictOn reads from the server's refusal of a compare-and-set what the
// subject's last sequence is. Only the description has it. A server of a cluster
// leaves it out while another write on the subject is under way.
func conflictOn(subject string, err error) *bus.ConflictError {
	if !errors.Is(kindOf(err), bus.ErrConflict) {
		return nil
	}
	conflict := &bus.ConflictError{Subject: subject}
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		if text, ok := strings.CutPrefix(api.Description, "wrong last sequence: "); ok {
			conflict.Last, _ = strconv.ParseUint(text, 10, 64) // 0, unknown, if it is no number
		}
	}
	return conflict
}

// Last implements bus.Durable.
func (b *Bus) Last(ctx context.Context, stream, subject string) (bus.Stored, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	s, err := b.stream(ctx, stream)
	if err != nil {
		return bus.Stored{}, wrap(err, "stream %s", stream)
	}
	m, err := s.GetLastMsgForSubject(ctx, subject)
	if err != nil {
		return bus.Stored{}, wrap(err, "last message on %s of %s", subject, stream)
	}
	return bus.Stored{
		Message:  bus.Message{Subject: m.Subject, Header: headerFromNATS(m.Header), Data: m.Data},
		Sequence: m.Sequence,
		At:       m.Time,
	}, nil
}

// stream finds a stream once; its handle holds nothing but the name and whether
// it may be read directly.
func (b *Bus) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	b.mu.Lock()
	s := b.streams[name]
	b.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := b.js.Stream(ctx, name)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	b.streams[name] = s
	b.mu.Unlock()
	return s, nil
}

// bounded gives a context without a deadline one.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, DefaultTimeout)
}
