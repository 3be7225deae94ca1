package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Submit gives the fleet a job. When it returns nil the job is durable: it will
// end in exactly one state, or wait with a reason. The same job under the same
// id again is the same job.
func (c *Client) Submit(ctx context.Context, job messages.Job) error {
	data, fingerprint, err := prepare(job)
	if err != nil {
		return err
	}
	return c.append(ctx, c.root.Job(job.ID), messages.JobMsgID(job.ID, fingerprint), data)
}

// submitAtOnce is how many jobs are on their way to the stream at the same time.
const submitAtOnce = 64

// SubmitMany gives the fleet many jobs, many at a time. All are checked before
// any is sent. The error joins one for each job that may not be durable, naming
// it; to submit all of them again does no harm.
func (c *Client) SubmitMany(ctx context.Context, jobs []messages.Job) error {
	for i := range jobs {
		if _, _, err := prepare(jobs[i]); err != nil {
			return fmt.Errorf("job %d of %d (%q): %w", i+1, len(jobs), jobs[i].ID, err)
		}
	}
	failed := make([]error, len(jobs))
	var g errgroup.Group
	g.SetLimit(submitAtOnce)
	for i := range jobs {
		g.Go(func() error {
			if err := c.Submit(ctx, jobs[i]); err != nil {
				failed[i] = fmt.Errorf("job %q: %w", jobs[i].ID, err)
			}
			return nil
		})
	}
	_ = g.Wait()
	return errors.Join(failed...)
}

// SubmitCancel asks for a job's end on its cancel subject. When it returns nil
// that is durable, and a placer will see to it, though none may be there now.
func (c *Client) SubmitCancel(ctx context.Context, id, reason string) error {
	if err := messages.CheckToken("id", id); err != nil {
		return err
	}
	data, err := messages.Encode(messages.Cancel{V: messages.Version, Reason: reason})
	if err != nil {
		return err
	}
	return c.append(ctx, c.root.Cancel(id), "", data)
}

// Run is Submit and Wait in one: it listens before it submits, so that no
// rejection is missed, and does not take the end of another job that had the id
// for the end of this one.
func (c *Client) Run(ctx context.Context, job messages.Job) (messages.Record, error) {
	data, fingerprint, err := prepare(job)
	if err != nil {
		return messages.Record{}, err
	}
	return c.await(ctx, job.ID, fingerprint, func() error {
		return c.append(ctx, c.root.Job(job.ID), messages.JobMsgID(job.ID, fingerprint), data)
	})
}

// prepare checks a job and writes it, with its fingerprint.
func prepare(job messages.Job) (data []byte, fingerprint string, err error) {
	job.V = messages.Version
	if err = job.Validate(); err != nil {
		return nil, "", err
	}
	if data, err = messages.Encode(job); err != nil {
		return nil, "", err
	}
	fingerprint, err = messages.Fingerprint(data)
	return data, fingerprint, err
}

// appendWithin is how long one acknowledgement is waited for.
const appendWithin = 5 * time.Second

// append publishes into a stream and waits for the acknowledgement. While the bus
// is away it publishes again and again until ctx ends: the id, and behind it the
// job's record, tell a repeat.
func (c *Client) append(ctx context.Context, subject, id string, data []byte) error {
	var opts []jetstream.PublishOpt
	if id != "" {
		opts = append(opts, jetstream.WithMsgID(id))
	}
	for {
		err := c.appendOnce(ctx, subject, data, opts)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
			return fmt.Errorf("no stream takes %s, since no placer has made it yet: %w", subject, ErrUnreachable)
		case ctx.Err() != nil:
			return fmt.Errorf("publish on %s: %w", subject, context.Cause(ctx))
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout), errors.Is(err, errReconnected):
		default:
			return fmt.Errorf("publish on %s: %w", subject, err)
		}
	}
}

// appendOnce gives up when the acknowledgement is overdue, or may have been lost.
func (c *Client) appendOnce(ctx context.Context, subject string, data []byte, opts []jetstream.PublishOpt) error {
	within, cancel := context.WithTimeout(ctx, appendWithin)
	defer cancel()
	within, stop := c.whileConnected(within)
	defer stop()
	_, err := c.js.Publish(within, subject, data, opts...)
	if err != nil && within.Err() != nil {
		err = context.Cause(within)
	}
	return err
}

// Command gives a job to one node directly and returns that node's answer: that
// it accepts, refuses or rejects the job; or, with wait, the attempt's last
// outcome (of a service: that it runs) if it comes in that time.
func (c *Client) Command(ctx context.Context, node string, job messages.Job, wait time.Duration) (messages.Outcome, error) {
	job.V = messages.Version
	var o messages.Outcome
	data, err := messages.Encode(job)
	if err != nil {
		return o, err
	}
	m := nats.NewMsg(c.root.Command(node))
	m.Data = data
	if wait > 0 {
		m.Header.Set(messages.HeaderWait, wait.String())
	}
	reply, err := c.requestOnce(ctx, m)
	for errors.Is(err, errReconnected) {
		reply, err = c.requestOnce(ctx, m) // the same command again gets the same answer
	}
	if errors.Is(err, nats.ErrNoResponders) {
		return o, fmt.Errorf("node %s does not answer: %w", node, ErrUnreachable)
	}
	if err != nil {
		return o, fmt.Errorf("ask node %s: %w", node, err)
	}
	return o, decode(reply.Data, &o)
}

func decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return nil
}
