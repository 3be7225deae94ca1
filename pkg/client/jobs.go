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

func decode(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("the answer cannot be read: %w", err)
	}
	return nil
}
