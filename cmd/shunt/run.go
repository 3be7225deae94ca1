package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) runCommand() *cobra.Command {
	var w wanted
	cmd := &cobra.Command{
		Use:   "run IMAGE [-- COMMAND…]",
		Short: "run a container somewhere, show its output, and end as it ends",
		Long: "Submits a job, shows the output of its container wherever it runs, and ends with the job's\n" +
			"verdict: exit code 0 if it completed, 1 if not. Ctrl-C cancels the job, and waits for that.",
		Example: "  shunt run registry.example/team/hello:1 -- echo hello",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			jobs, err := a.wantedJobs(&w, nil, args)
			if err != nil {
				return err
			}
			return a.runJob(cmd.Context(), jobs[0])
		},
	}
	w.flags(cmd, a)
	return cmd
}

// runJob runs a job to its end. ctx is the person's: when it ends, the job is
// cancelled.
func (a *app) runJob(ctx context.Context, job messages.Job) error {
	ask, cancel := a.patience(ctx)
	defer cancel()
	c, stop, err := a.connect(ask)
	if err != nil {
		return err
	}
	defer stop()
	a.note("job %s", job.ID)
	whole, end := a.bounded(context.WithoutCancel(ctx))
	defer end()
	said := make(chan struct{})
	unasked := context.AfterFunc(ctx, func() {
		defer close(said)
		a.note("cancelling job %s", job.ID)
		if err := c.SubmitCancel(whole, job.ID, "interrupted by whoever ran it"); err != nil {
			a.note("job %s could not be cancelled: %v", job.ID, err)
		}
	})
	defer func() {
		if !unasked() { // a job that has ended is not cancelled any more
			<-said
		}
	}()
	rec, err := a.attend(whole, c, job)
	if err != nil {
		return err
	}
	if a.output == "json" {
		err = a.json(rec)
	} else if rec.State != messages.StateCompleted {
		a.note("job %s is %s%s%s", job.ID, rec.State, exitOf(&rec), because(rec.Reason))
	}
	return errors.Join(err, verdict(&rec))
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// attend submits a job and watches it to its end, says what becomes of it, and shows the output
// of each attempt that runs.
func (a *app) attend(ctx context.Context, c *client.Client, job messages.Job) (messages.Record, error) {
	out := a.out
	if a.output == "json" {
		out = a.err // the answer is the record
	}
	var last messages.Record
	var o output
	defer func() { o.stop() }()
	defer a.progress(ctx, c, job.ID)()
	for rec, err := range c.SubmitAndWatch(ctx, job) {
		if err != nil {
			return last, err
		}
		if rec.Reason != "" && rec.Reason != last.Reason && !rec.State.Ended() {
			a.note("%s: %s", rec.State, rec.Reason)
		}
		if rec.Node != "" && rec.Attempt != o.attempt && rec.State != messages.StatePending {
			o.stop()
			a.note("on %s", rec.Node)
			o.begin(ctx, c.Node(rec.Node), &rec, out, a.err)
		}
		last = rec
	}
	return last, o.finish(ctx, c, &last, out, a.err)
}

// output is the output of one attempt, as it comes. Its container may not be
// there yet, so it is asked for until it is.
type output struct {
	attempt uint64
	cancel  context.CancelFunc
	done    chan struct{}
	err     error
	shown   counter
}

// counter counts what is written.
type counter struct{ n int64 }

func (c *counter) to(w io.Writer) io.Writer { return &counted{w, c} }

type counted struct {
	w io.Writer
	c *counter
}

func (w *counted) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.c.n += int64(n)
	return n, err
}

// outputRetry is between two questions for output that is not there yet.
const outputRetry = 100 * time.Millisecond

func (o *output) begin(ctx context.Context, node *client.Node, rec *messages.Record, stdout, stderr io.Writer) {
	ctx, cancel := context.WithCancel(ctx)
	o.attempt, o.cancel, o.done, o.shown = rec.Attempt, cancel, make(chan struct{}), counter{}
	req := messages.LogsRequest{Job: rec.Job.ID, Follow: true}
	go func() {
		defer close(o.done)
		for {
			o.err = node.CopyLogs(ctx, req, o.shown.to(stdout), o.shown.to(stderr))
			if !isNotFound(o.err) || o.shown.n > 0 {
				return
			}
			select {
			case <-time.After(outputRetry):
			case <-ctx.Done():
				return
			}
		}
	}()
}

// stop gives the output up.
func (o *output) stop() {
	if o.cancel != nil {
		o.cancel()
		<-o.done
		o.cancel = nil
	}
}

// drainWithin is how long the rest of an output is waited for once the job has
// ended: its worker may be gone.
const drainWithin = 10 * time.Second

// finish shows the rest of an ended job's output. If none was followed, it was
// over too soon, and is shown now.
func (o *output) finish(ctx context.Context, c *client.Client, rec *messages.Record, stdout, stderr io.Writer) error {
	if rec.Node == "" || rec.Outcome == nil || rec.Outcome.Result == nil || rec.Outcome.Result.StartedAt.IsZero() {
		return nil // nothing has run
	}
	if o.cancel == nil || o.attempt != rec.Attempt {
		o.stop()
		o.begin(ctx, c.Node(rec.Node), rec, stdout, stderr)
	}
	select {
	case <-o.done:
	case <-time.After(drainWithin):
		return fmt.Errorf("the rest of the output on %s does not come: %w", rec.Node, client.ErrUnreachable)
	}
	return o.err
}

func isNotFound(err error) bool {
	e, ok := errors.AsType[*messages.Error](err)
	return ok && e.Code == messages.CodeNotFound
}
