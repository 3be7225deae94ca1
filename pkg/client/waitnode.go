package client

import (
	"context"
	"errors"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// waitSlice is how long one request of a wait waits: an answer that was lost with
// its worker is missed no longer than that.
const waitSlice = 20 * time.Second

// Wait waits until a container meets a condition, and is how it ended. It goes on
// until ctx ends, or for the request's timeout; then the error is of code
// deadline_exceeded. A worker that stays away once it has answered is waited for.
func (n *Node) Wait(ctx context.Context, req messages.WaitRequest) (messages.WaitReply, error) {
	req.V = messages.Version
	if req.Condition == messages.WaitNextExit {
		// In slices it could miss the exit between two of them.
		return worker[messages.WaitReply](ctx, n, messages.VerbWait, req)
	}
	limit := req.Timeout.Std()
	for began, answered := time.Now(), false; ; answered = true {
		slice := waitSlice
		if limit > 0 {
			slice = min(slice, max(limit-time.Since(began), time.Millisecond))
		}
		req.Timeout = messages.Duration(slice)
		reply, err := n.waitSlice(ctx, req, slice)
		over := limit > 0 && time.Since(began) >= limit
		e, said := errors.AsType[*messages.Error](err)
		switch {
		case err == nil, ctx.Err() != nil, over:
			return reply, err
		case said && e.Code == messages.CodeDeadlineExceeded, errors.Is(err, context.DeadlineExceeded):
		case errors.Is(err, ErrUnreachable) && answered:
			if err := pause(ctx, awayPause); err != nil {
				return reply, err
			}
		default:
			return reply, err
		}
	}
}

// waitSlice asks once, and gives up when the answer is overdue.
func (n *Node) waitSlice(ctx context.Context, req messages.WaitRequest, slice time.Duration) (messages.WaitReply, error) {
	ctx, cancel := context.WithTimeout(ctx, slice+silence)
	defer cancel()
	return worker[messages.WaitReply](ctx, n, messages.VerbWait, req)
}

// awayPause is between two questions to a worker that is away.
const awayPause = time.Second

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
