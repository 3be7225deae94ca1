package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// silence is how long a streamed answer may say nothing at all; a worker that
// is alive beats every 5 s.
const silence = 15 * time.Second

// Frame is a piece of a streamed answer.
type Frame struct {
	Stream string // stdout | stderr
	Data   []byte
}

// Logs is the output of a container, or of a job's container, on a node. The
// sequence ends with the answer, with ctx, or when the caller stops reading; an
// error comes last.
func (c *Client) Logs(ctx context.Context, node string, req messages.LogsRequest) iter.Seq2[Frame, error] {
	req.V = messages.Version
	return c.stream(ctx, c.root.NodeVerb(node, messages.VerbLogs), req)
}

// stream asks for an answer in frames.
func (c *Client) stream(ctx context.Context, subject string, request any) iter.Seq2[Frame, error] {
	return func(yield func(Frame, error) bool) {
		if err := c.readFrames(ctx, subject, request, func(f Frame) bool { return yield(f, nil) }); err != nil {
			yield(Frame{}, err)
		}
	}
}

func (c *Client) readFrames(ctx context.Context, subject string, request any, yield func(Frame) bool) error {
	data, err := messages.Encode(request)
	if err != nil {
		return err
	}
	inbox := c.nc.NewInbox()
	sub, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return fmt.Errorf("ask %s: %w", subject, err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := c.nc.PublishRequest(subject, inbox, data); err != nil {
		return fmt.Errorf("ask %s: %w", subject, err)
	}
	for want := uint64(1); ; want++ {
		m, err := nextFrame(ctx, sub)
		if err != nil {
			return fmt.Errorf("ask %s: %w", subject, err)
		}
		if len(m.Data) == 0 && m.Header.Get(messages.HeaderStatus) == "503" {
			return fmt.Errorf("nobody answers on %s: %w", subject, ErrUnreachable)
		}
		if err := errorOf(m); err != nil {
			return err
		}
		if seq, err := strconv.ParseUint(m.Header.Get(messages.HeaderSeq), 10, 64); err != nil || seq != want {
			return fmt.Errorf("ask %s: frame %s came where %d was due; some were lost on the way", subject, m.Header.Get(messages.HeaderSeq), want)
		}
		if len(m.Data) == 0 {
			return nil
		}
		if m.Header.Get(messages.HeaderBeat) != "" {
			continue
		}
		if !yield(Frame{Stream: m.Header.Get(messages.HeaderStream), Data: m.Data}) {
			return nil
		}
	}
}

// nextFrame waits for a frame, for no longer than a live worker is silent.
func nextFrame(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	wait, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	m, err := sub.NextMsgWithContext(wait)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil, fmt.Errorf("the worker has said nothing for %s: %w", silence, ErrUnreachable)
	}
	return m, err
}
