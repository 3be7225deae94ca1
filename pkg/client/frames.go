package client

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// silence is how long a streamed answer may say nothing at all; a worker that
// is alive beats every 5 s.
const silence = 15 * time.Second

// mostWaiting bounds what is kept of a streamed answer for a caller who reads
// more slowly than the worker writes. Beyond it frames are lost, and that is
// noticed.
const (
	mostWaiting      = 64 << 10 // frames
	mostBytesWaiting = 16 << 20
)

// errCut says that a streamed answer broke off: frames were lost on the way, or
// nothing comes any more. It is ErrUnreachable, too.
var errCut = fmt.Errorf("the answer broke off: %w", ErrUnreachable)

// answer is a streamed answer as it comes in. It belongs to one goroutine.
type answer struct {
	c       *Client
	subject string
	sub     *nats.Subscription
	next    uint64 // the number that the next frame must have
}

// stream asks for an answer in frames; stop must be called.
func (c *Client) stream(subject string, request any) (*answer, error) {
	data, err := messages.Encode(request)
	if err != nil {
		return nil, err
	}
	inbox := c.nc.NewInbox()
	sub, err := c.nc.SubscribeSync(inbox)
	if err == nil {
		err = sub.SetPendingLimits(mostWaiting, mostBytesWaiting)
	}
	if err == nil {
		err = c.nc.PublishRequest(subject, inbox, data)
	}
	if err != nil {
		if sub != nil {
			_ = sub.Unsubscribe()
		}
		return nil, fmt.Errorf("ask %s: %w", subject, err)
	}
	return &answer{c: c, subject: subject, sub: sub, next: 1}, nil
}

// stop lets go of the answer; whoever sends it notices that nobody listens.
func (a *answer) stop() { _ = a.sub.Unsubscribe() }

// frame is the next frame that says something, or nil and the end's headers.
func (a *answer) frame(ctx context.Context) (frame *nats.Msg, end nats.Header, err error) {
	for {
		m, err := a.receive(ctx)
		if errors.Is(err, nats.ErrNoResponders) {
			return nil, nil, fmt.Errorf("nobody answers on %s: %w", a.subject, ErrUnreachable)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("ask %s: %w", a.subject, err)
		}
		seq, numberErr := strconv.ParseUint(m.Header.Get(messages.HeaderSeq), 10, 64)
		if err := errorOf(m); err != nil && (numberErr != nil || seq == a.next) {
			return nil, nil, err // the worker's last word, or its service's before there were frames
		}
		if numberErr != nil || seq != a.next {
			return nil, nil, fmt.Errorf("ask %s: frame %q came where %d was due: %w", a.subject, m.Header.Get(messages.HeaderSeq), a.next, errCut)
		}
		a.next++
		switch {
		case len(m.Data) == 0:
			return nil, m.Header, nil
		case m.Header.Get(messages.HeaderBeat) == "":
			return m, nil, nil
		}
	}
}

// receive waits for a message, for no longer than a live worker is silent.
func (a *answer) receive(ctx context.Context) (*nats.Msg, error) {
	wait, cancel := context.WithTimeout(ctx, a.c.silence)
	defer cancel()
	m, err := a.sub.NextMsgWithContext(wait)
	switch {
	case err == nil:
		return m, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("the worker has said nothing for %s: %w", a.c.silence, errCut)
	case errors.Is(err, nats.ErrSlowConsumer):
		return nil, fmt.Errorf("it was read too slowly: %w", errCut)
	}
	return nil, err
}
