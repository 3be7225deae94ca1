package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// resuming is how a streamed answer that is to outlive its connection and its
// worker has gone so far.
type resuming struct {
	answered bool // at least once
	fails    int  // answers that failed without having said anything
}

// heard takes note of what has come of an answer.
func (r *resuming) heard(a *answer) {
	if a.next > 1 {
		r.answered, r.fails = true, 0
	}
}

// resumes tells whether an answer that ended like this is asked for again: it
// broke off, or its worker went away, and there had been one.
func (r *resuming) resumes(err error) bool {
	if !r.answered {
		return false
	}
	if e, ok := errors.AsType[*messages.Error](err); ok {
		return e.Code == messages.CodeCanceled || e.Code == messages.CodeUnavailable
	}
	return errors.Is(err, ErrUnreachable)
}

// away waits before the next question to a worker that is away.
func (r *resuming) away(ctx context.Context) error {
	r.fails++
	return pause(ctx, min(time.Duration(r.fails)*awayPause/4, awayPause))
}

// documents is what frames in JSON say. An answer that broke off is asked for
// again; what would have come meanwhile is missed.
func documents[T any](ctx context.Context, c *Client, subject string, request any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		var r resuming
		for {
			err := readDocuments(ctx, c, &r, subject, request, func(v T) bool { return yield(v, nil) })
			switch {
			case err == nil:
				return
			case errors.Is(err, errReconnected):
				continue
			case ctx.Err() == nil && r.resumes(err):
				err = r.away(ctx)
			}
			if err != nil {
				yield(none, err)
				return
			}
		}
	}
}

// readDocuments reads one answer, to its end or until take wants no more.
func readDocuments[T any](ctx context.Context, c *Client, r *resuming, subject string, request any, take func(T) bool) error {
	ctx, stop := c.whileConnected(ctx) // what came while the connection was away is lost
	defer stop()
	a, err := c.stream(subject, request)
	if err != nil {
		return err
	}
	defer a.stop()
	for {
		m, _, err := a.frame(ctx)
		r.heard(a)
		if err != nil || m == nil {
			return err
		}
		var value T
		if err := json.Unmarshal(m.Data, &value); err != nil {
			return fmt.Errorf("ask %s: a frame cannot be read: %w", subject, err)
		}
		if !take(value) {
			return nil
		}
	}
}
