package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) waitCommand() *cobra.Command {
	var running bool
	var condition, node string
	cmd := &cobra.Command{
		Use:   "wait JOB… | --condition CONDITION CONTAINER",
		Short: "wait until jobs have ended, or a container meets a condition",
		Long: "Waits until all the jobs have ended; its exit code is 1 if one of them did not complete.\n" +
			"With --running a job is waited for only until it runs (a service: until it is healthy).\n" +
			"With --condition it is a container that is waited for: not_running, next_exit or removed.",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				if condition != "" {
					return a.waitContainer(ctx, c, args, node, messages.WaitCondition(condition))
				}
				return a.waitJobs(ctx, c, args, running)
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&running, "running", false, "wait until the jobs run, and not for their end")
	f.StringVar(&condition, "condition", "", "wait for a container: not_running, next_exit or removed")
	f.StringVar(&node, "node", "", "the `NODE` that has the container (default: it is looked for)")
	cmd.MarkFlagsMutuallyExclusive("running", "condition")
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeNodes)
	_ = cmd.RegisterFlagCompletionFunc("condition", cobra.FixedCompletions([]string{"not_running", "next_exit", "removed"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// waitJobs waits for one job after the other: they go on at the same time.
func (a *app) waitJobs(ctx context.Context, c *client.Client, ids []string, running bool) error {
	var failed error
	for _, id := range ids {
		a.noteUnknown(ctx, c, id)
		rec, err := waitJob(ctx, c, id, running)
		if err != nil {
			return err
		}
		if a.output == "json" {
			err = a.json(rec)
		} else {
			a.say("%s: %s%s", id, stateOf(&rec), exitOf(&rec))
		}
		if err != nil {
			return err
		}
		if rec.State.Ended() && rec.State != messages.StateCompleted {
			failed = errJobFailed
		}
	}
	return failed
}

// waitJob waits for a job's end, or until it runs.
func waitJob(ctx context.Context, c *client.Client, id string, running bool) (messages.Record, error) {
	var last messages.Record
	for rec, err := range c.Watch(ctx, id) {
		if err != nil && ctx.Err() != nil {
			return last, &unended{id, last, err}
		}
		if err != nil {
			return last, err
		}
		last = rec
		if running && rec.State == messages.StateRunning && (rec.Healthy || rec.Job.EffectiveKind() == messages.KindTask) {
			break
		}
	}
	return last, nil
}

// unended is how a wait ends that is given up before its job has ended.
type unended struct {
	id    string
	last  messages.Record // as the job was then
	cause error
}

func (e *unended) Error() string {
	if e.last.State == "" {
		return fmt.Sprintf("no job %q is known yet", e.id)
	}
	return fmt.Sprintf("job %s is %s%s", e.id, stateOf(&e.last), because(e.last.Reason))
}

func (e *unended) Unwrap() error { return e.cause }

// noteUnknown says that a job is waited for which nobody knows. It may come yet,
// and it may be a slip of the hand.
func (a *app) noteUnknown(ctx context.Context, c *client.Client, id string) {
	ctx, cancel := context.WithTimeout(ctx, completeWithin)
	defer cancel()
	if _, err := c.Job(ctx, id); isNotFound(err) {
		a.note("no job %q is known yet; waiting for it", id)
	}
}

// exitOf is how a job's container ended, for the end of a line.
func exitOf(r *messages.Record) string {
	if r.Outcome == nil || r.Outcome.Result == nil || r.Outcome.Result.ExitCode == nil {
		return ""
	}
	return fmt.Sprintf(", exit code %d", *r.Outcome.Result.ExitCode)
}

func (a *app) waitContainer(ctx context.Context, c *client.Client, args []string, node string, condition messages.WaitCondition) error {
	if len(args) != 1 {
		return fmt.Errorf("--condition %s: %d containers are given; want one", condition, len(args))
	}
	p, err := find(ctx, c, args[0], node)
	if err != nil {
		return err
	}
	reply, err := c.Node(p.node).Wait(ctx, messages.WaitRequest{Container: p.container, Condition: condition})
	if err != nil {
		return err
	}
	if a.output == "json" {
		return a.json(reply)
	}
	a.say("%s: exit code %d (%s)", p.container, reply.ExitCode, reply.ExitReason)
	return nil
}
