package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Wait is a job's record once it has ended, at once if it already has. A Job
// that is rejected meanwhile is the *messages.Error it is rejected with. A bus
// that does not answer for a while is waited for as well, until ctx ends.
func (c *Client) Wait(ctx context.Context, id string) (messages.Record, error) {
	return c.await(ctx, id, "", nil)
}

// What is said of a job's end is not yet the end: NATS delivers a publish before
// the stream has taken it, or although it refuses it, and a replica may be behind.
// So a wait goes by what it finds in the stream, and what it hears only tells it
// to look. It looks again soon, since what was said is about to be there, and
// then more and more rarely, since what is said while the connection is away is
// not heard at all.
const (
	lookSoon   = 50 * time.Millisecond
	lookAgain  = 5 * time.Second
	lookWithin = 5 * time.Second
)

// await listens for a job's end, then begins, then waits. With a fingerprint
// the end of another job under that id is not taken for this one's.
func (c *Client) await(ctx context.Context, id, fingerprint string, begin func() error) (messages.Record, error) {
	said, stop, err := c.listen(c.root.Done(id), c.root.Outcome(messages.PlacerNode, id))
	if err != nil {
		return messages.Record{}, err
	}
	defer stop()
	if begin != nil {
		if err := begin(); err != nil {
			return messages.Record{}, err
		}
	}
	for pause := lookSoon; ; {
		rec, found, err := c.look(ctx, id)
		if err != nil {
			return rec, err
		}
		if found && (fingerprint == "" || rec.Fingerprint == "" || rec.Fingerprint == fingerprint) {
			return rec, nil
		}
		select {
		case m := <-said:
			var o messages.Outcome
			if m.Subject != c.root.Done(id) && decode(m.Data, &o) == nil && o.Error != nil {
				return messages.Record{}, o.Error
			}
			pause = lookSoon
		case <-time.After(pause):
			pause = min(2*pause, c.lookAgain)
		case <-ctx.Done():
			return messages.Record{}, fmt.Errorf("wait for job %s: %w", id, context.Cause(ctx))
		}
	}
}

// look looks for the last word on a job. That nothing answers in time is the same
// as not to have found it, and so is the last word of a life before the one that
// a retry has begun. The record is read first: it goes only after the last word of
// its life was said.
func (c *Client) look(ctx context.Context, id string) (rec messages.Record, found bool, err error) {
	within, cancel := context.WithTimeout(ctx, c.lookWithin)
	defer cancel()
	now, revision, err := c.live(within, id)
	if err == nil {
		rec, found, err = c.ended(within, id)
		found = found && err == nil && (revision == 0 || now.Retries <= rec.Retries)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) {
		err = nil
	}
	return rec, found, err
}

// ended is the last word on a job, as the stream has it.
func (c *Client) ended(ctx context.Context, id string) (rec messages.Record, found bool, err error) {
	stream, err := c.js.Stream(ctx, c.root.Stream(messages.StreamDone))
	if err != nil {
		return rec, false, fmt.Errorf("stream %s: %w", c.root.Stream(messages.StreamDone), err)
	}
	m, err := stream.GetLastMsgForSubject(ctx, c.root.Done(id))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return rec, false, nil
	}
	if err != nil {
		return rec, false, fmt.Errorf("look for the end of job %s: %w", id, err)
	}
	return rec, true, decode(m.Data, &rec)
}

// listen hears subjects until stop is called.
func (c *Client) listen(subjects ...string) (<-chan *nats.Msg, func(), error) {
	ch := make(chan *nats.Msg, 64)
	var subs []*nats.Subscription
	stop := func() {
		for _, s := range subs {
			_ = s.Unsubscribe()
		}
	}
	for _, subject := range subjects {
		s, err := c.nc.ChanSubscribe(subject, ch)
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("listen on %s: %w", subject, err)
		}
		subs = append(subs, s)
	}
	if err := c.nc.Flush(); err != nil {
		stop()
		return nil, nil, fmt.Errorf("listen: %w", err)
	}
	return ch, stop, nil
}
