package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

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

// append publishes into a stream and waits for the acknowledgement.
func (c *Client) append(ctx context.Context, subject, id string, data []byte) error {
	_, err := c.js.Publish(ctx, subject, data, jetstream.WithMsgID(id))
	switch {
	case errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrNoResponders):
		return fmt.Errorf("no stream takes %s, since no placer has made it yet: %w", subject, ErrUnreachable)
	case err != nil:
		return fmt.Errorf("publish on %s: %w", subject, err)
	}
	return nil
}

// Command gives a job to one node directly and returns that node's answer: that
// it accepts, refuses or rejects the job; or, with wait, the attempt's last
// outcome if it comes in that time.
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
	reply, err := c.nc.RequestMsgWithContext(ctx, m)
	if errors.Is(err, nats.ErrNoResponders) {
		return o, fmt.Errorf("node %s does not answer: %w", node, ErrUnreachable)
	}
	if err != nil {
		return o, fmt.Errorf("ask node %s: %w", node, err)
	}
	return o, decode(reply.Data, &o)
}

// Job is a job's record, live or ended.
func (c *Client) Job(ctx context.Context, id string) (messages.Record, error) {
	return call[messages.Record](ctx, c, c.root.PlacerVerb(messages.PlacerJob), messages.JobRequest{V: messages.Version, ID: id})
}

// Jobs is a page of the live jobs.
func (c *Client) Jobs(ctx context.Context, req messages.JobsRequest) (messages.JobsReply, error) {
	req.V = messages.Version
	return call[messages.JobsReply](ctx, c, c.root.PlacerVerb(messages.PlacerJobs), req)
}

// Explain tells why a job is where it is, or where one would go.
func (c *Client) Explain(ctx context.Context, req messages.ExplainRequest) (messages.ExplainReply, error) {
	req.V = messages.Version
	return call[messages.ExplainReply](ctx, c, c.root.PlacerVerb(messages.PlacerExplain), req)
}

// Wait is a job's record once it has ended, at once if it already has. A Job
// that is rejected meanwhile is the *messages.Error it is rejected with.
func (c *Client) Wait(ctx context.Context, id string) (messages.Record, error) {
	return c.await(ctx, id, "", nil)
}

// lookAgain is how often a wait looks for itself: what is said while the
// connection is away is not heard.
const lookAgain = 5 * time.Second

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
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	for {
		rec, found, err := c.ended(ctx, id)
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
		case <-look.C:
		case <-ctx.Done():
			return messages.Record{}, fmt.Errorf("wait for job %s: %w", id, context.Cause(ctx))
		}
	}
}

// ended looks for the last word on a job.
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

func decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return nil
}
