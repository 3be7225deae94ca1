package main

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) jobsCommand() *cobra.Command {
	var req messages.JobsRequest
	var state string
	var watch bool
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "list the live jobs, or those that have ended in a state",
		Example: "  shunt jobs --node linux-1\n" +
			"  shunt jobs --state dead",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			req.State = messages.State(state)
			return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				if watch {
					return follow(ctx, a, c.WatchAll(ctx, req), recordLine)
				}
				return a.listJobs(ctx, c, req)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&state, "state", "", "only jobs in this `STATE`; of an ended one, those that are remembered")
	f.StringVar(&req.Node, "node", "", "only jobs on this `NODE`")
	f.StringVar(&req.Service, "service", "", "only jobs of this `SERVICE`")
	f.StringToStringVar(&req.Labels, "label", nil, "only jobs whose spec has this label, as `k=v`")
	f.BoolVarP(&watch, "watch", "w", false, "go on, and show every change")
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeNodes)
	_ = cmd.RegisterFlagCompletionFunc("state", completeStates)
	return cmd
}

func (a *app) listJobs(ctx context.Context, c *client.Client, req messages.JobsRequest) error {
	jobs := paced(ctx, answerWithin, func(ctx context.Context) iter.Seq2[messages.Record, error] { return c.Jobs(ctx, req) })
	return list(a, []string{"JOB", "STATE", "NODE", "ATTEMPT", "AGE", "REASON"}, jobs, recordRow)
}

func recordRow(r *messages.Record) []string {
	return []string{
		r.Job.ID, stateOf(r), orDash(r.Node), strconv.FormatUint(r.Attempt, 10), age(r.Created), r.Reason,
	}
}

// recordLine is a change of a job, as a watch shows it.
func recordLine(r *messages.Record) string {
	line := fmt.Sprintf("%s  %s  %s  %s", r.Updated.Local().Format(time.TimeOnly), r.Job.ID, stateOf(r), orDash(r.Node))
	if r.Reason != "" {
		line += "  " + r.Reason
	}
	return line
}

// stateOf is a job's state, with the health of a service that is up.
func stateOf(r *messages.Record) string {
	if r.State == messages.StateRunning && r.Job.EffectiveKind() == messages.KindService && !r.Healthy {
		return "running (not healthy)"
	}
	return string(r.State)
}

// age is how long ago something was.
func age(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return max(0, time.Since(at)).Round(time.Second).String()
}
