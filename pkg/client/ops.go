package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// How an op is given to the fleet. Without any, it is a job with an id made up,
// given to intake, and carried out on the node that holds the container.
type How func(*giving)

type giving struct {
	job    messages.Job
	direct string // the node
}

// WithID names the op's job, so that to ask again is to ask for the same.
func WithID(id string) How { return func(g *giving) { g.job.ID = id } }

// OnNode says which node is meant; the op still goes through intake.
func OnNode(node string) How { return func(g *giving) { g.job.Target = node } }

// Directly gives the op to the node itself, which needs no placer.
func Directly(node string) How { return func(g *giving) { g.direct = node } }

// With changes anything else of the op's job: its deadline, its policy.
func With(change func(*messages.Job)) How { return func(g *giving) { change(&g.job) } }

// OpError is the error of an op that was not done.
type OpError struct {
	Job    string
	Op     messages.Op
	Node   string // that had it last, if any did
	State  string // of the record, or the status of the outcome
	Reason string
	Result *messages.Result // what there was of it
	Err    *messages.Error  // the node's error, if it gave one
}

// Error says what was asked, where, and why it was not done.
func (e *OpError) Error() string {
	where := ""
	if e.Node != "" {
		where = " on " + e.Node
	}
	return fmt.Sprintf("%s (job %s) is %s%s: %s", e.Op, e.Job, e.State, where, e.Reason)
}

// Unwrap is the node's error.
func (e *OpError) Unwrap() error {
	if e.Err == nil {
		return nil
	}
	return e.Err
}

// NewID makes up an id for a job.
func NewID() string { return "job-" + strings.ToLower(rand.Text()[:10]) }

// Create makes a container and does not start it; job has its spec.
func (c *Client) Create(ctx context.Context, job messages.Job, how ...How) (messages.Result, error) {
	job.Op = messages.OpCreate
	return c.do(ctx, job, how)
}

// Start starts a container that was made, or that has ended.
func (c *Client) Start(ctx context.Context, container string, how ...How) (messages.Result, error) {
	return c.do(ctx, messages.Job{Op: messages.OpStart, Container: container}, how)
}

// Stop stops a container: its stop signal, and KILL after the timeout; 0 is its
// own grace. Changed is false when it was not running.
func (c *Client) Stop(ctx context.Context, container string, timeout time.Duration, how ...How) (messages.Result, error) {
	return c.do(ctx, messages.Job{Op: messages.OpStop, Container: container, Args: messages.Args{Timeout: messages.Duration(timeout)}}, how)
}

// Restart stops a container, as Stop does, and starts it.
func (c *Client) Restart(ctx context.Context, container string, timeout time.Duration, how ...How) (messages.Result, error) {
	return c.do(ctx, messages.Job{Op: messages.OpRestart, Container: container, Args: messages.Args{Timeout: messages.Duration(timeout)}}, how)
}

// Kill sends a container a signal; "" is KILL.
func (c *Client) Kill(ctx context.Context, container, signal string, how ...How) (messages.Result, error) {
	return c.do(ctx, messages.Job{Op: messages.OpKill, Container: container, Args: messages.Args{Signal: signal}}, how)
}

// Remove removes a container: with force one that runs, with volumes its
// anonymous volumes too. Changed is false when it was not there.
func (c *Client) Remove(ctx context.Context, container string, force, volumes bool, how ...How) (messages.Result, error) {
	return c.do(ctx, messages.Job{Op: messages.OpRemove, Container: container, Args: messages.Args{Force: force, Volumes: volumes}}, how)
}

// Rename gives a container a second name.
func (c *Client) Rename(ctx context.Context, container, name string, how ...How) (messages.Result, error) {
	return c.do(ctx, messages.Job{Op: messages.OpRename, Container: container, Args: messages.Args{NewName: name}}, how)
}

// Exec runs a program in a container to its end, as a job: it is done once, or
// interrupted, and what it wrote is in the result, up to 64 KiB of each stream.
// Of args it takes Cmd, Env, Workdir, User and Timeout. Node.Exec is the one
// with streams.
func (c *Client) Exec(ctx context.Context, container string, args messages.Args, how ...How) (messages.Result, error) {
	return c.do(ctx, messages.Job{Op: messages.OpExec, Container: container, Args: args}, how)
}

// SyncVolumes copies a container's named volumes to a registry, as the reference
// copyTo.
func (c *Client) SyncVolumes(ctx context.Context, container, copyTo string, how ...How) (messages.Result, error) {
	return c.do(ctx, messages.Job{Op: messages.OpSyncVolumes, Container: container, Args: messages.Args{Copy: copyTo}}, how)
}

// Pull fetches an image to a node; of args it takes Policy and Platform.
func (c *Client) Pull(ctx context.Context, node, image string, args messages.Args, how ...How) (messages.Result, error) {
	args.Image = image
	return c.do(ctx, messages.Job{Op: messages.OpPull, Target: node, Args: args}, how)
}

// Tag gives an image on a node another name.
func (c *Client) Tag(ctx context.Context, node, source, target string, how ...How) (messages.Result, error) {
	return c.do(ctx, messages.Job{Op: messages.OpTag, Target: node, Args: messages.Args{Source: source, Target: target}}, how)
}

// RemoveImage removes an image from a node, with force although it is in use.
func (c *Client) RemoveImage(ctx context.Context, node, image string, force bool, how ...How) (messages.Result, error) {
	return c.do(ctx, messages.Job{Op: messages.OpRemoveImage, Target: node, Args: messages.Args{Image: image, Force: force}}, how)
}

// Prune removes what no container on a node needs.
func (c *Client) Prune(ctx context.Context, node string, how ...How) (messages.Result, error) {
	return c.do(ctx, messages.Job{Op: messages.OpPrune, Target: node}, how)
}

// do gives an op to the fleet, or to a node, and waits until it is done.
func (c *Client) do(ctx context.Context, job messages.Job, how []How) (messages.Result, error) {
	g := giving{job: job}
	for _, h := range how {
		h(&g)
	}
	if g.job.ID == "" {
		g.job.ID = NewID()
	}
	if g.direct != "" {
		return c.doDirectly(ctx, g.direct, g.job)
	}
	rec, err := c.Run(ctx, g.job)
	if err != nil {
		return messages.Result{}, err
	}
	return recordResult(&rec)
}

// recordResult is what an op gave, or why it gave nothing.
func recordResult(rec *messages.Record) (messages.Result, error) {
	e := &OpError{Job: rec.Job.ID, Op: rec.Job.Op, Node: rec.Node, State: string(rec.State), Reason: rec.Reason}
	if rec.Outcome != nil {
		e.Result, e.Err = rec.Outcome.Result, rec.Outcome.Error
	}
	return e.verdict(rec.State == messages.StateCompleted)
}

// verdict is the result when all is well, and else the error.
func (e *OpError) verdict(done bool) (messages.Result, error) {
	var result messages.Result
	if e.Result != nil {
		result = *e.Result
	}
	if done {
		return result, nil
	}
	if e.Reason == "" && e.Err != nil {
		e.Reason = e.Err.Error()
	}
	return result, e
}

// doDirectly gives an op to a node until it has ended there. The same command
// again gets the last outcome there is, so a worker that is killed meanwhile is
// asked again.
func (c *Client) doDirectly(ctx context.Context, node string, job messages.Job) (messages.Result, error) {
	for accepted := false; ; {
		within, cancel := context.WithTimeout(ctx, waitSlice+silence)
		o, err := c.Command(within, node, job, waitSlice)
		cancel()
		lost := errors.Is(err, ErrUnreachable) || errors.Is(err, context.DeadlineExceeded)
		switch {
		case err != nil && ctx.Err() != nil, err != nil && (!accepted || !lost):
			return messages.Result{}, err
		case err != nil:
			if err := pause(ctx, awayPause); err != nil {
				return messages.Result{}, err
			}
		case o.Status == messages.StatusAccepted:
			accepted = true
		default:
			return outcomeResult(&o)
		}
	}
}

func outcomeResult(o *messages.Outcome) (messages.Result, error) {
	if o.Status == messages.StatusRejected && o.Error != nil {
		return messages.Result{}, o.Error
	}
	e := &OpError{Job: o.Job, Op: o.Op, Node: o.Node, State: string(o.Status), Result: o.Result, Err: o.Error}
	if o.Route != nil {
		e.Reason = o.Route.Reason
	}
	return e.verdict(o.Status == messages.StatusCompleted || o.Status == messages.StatusRunning)
}
