package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) getCommand() *cobra.Command {
	var watch bool
	cmd := &cobra.Command{
		Use:               "get [JOB]",
		Short:             "show a job and its history; without one, as jobs",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case watch && len(args) == 1:
				return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
					a.noteUnknown(ctx, c, args[0])
					return follow(ctx, a, c.Watch(ctx, args[0]), recordLine)
				})
			case watch:
				return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
					return follow(ctx, a, c.WatchAll(ctx, messages.JobsRequest{}), recordLine)
				})
			case len(args) == 0:
				return a.last(cmd.Context(), func(ctx context.Context, c *client.Client) error {
					return a.listJobs(ctx, c, messages.JobsRequest{})
				})
			}
			return a.ask(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				rec, err := c.Job(ctx, args[0])
				if err != nil {
					return err
				}
				return a.showRecord(&rec)
			})
		},
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on until the job has ended, and show every change")
	return cmd
}

// showRecord prints all there is to say of a job.
func (a *app) showRecord(r *messages.Record) error {
	if a.output == "json" {
		return a.json(r)
	}
	rows := [][]string{
		{"job", r.Job.ID},
		{"state", stateOf(r)},
		{"node", orDash(r.Node)},
		{"attempt", strconv.FormatUint(r.Attempt, 10)},
		{"reason", r.Reason},
	}
	if s := r.Successor; s != nil {
		rows = append(rows, []string{"successor", fmt.Sprintf("attempt %d on %s", s.Attempt, s.Node)})
	}
	if r.Outcome != nil && r.Outcome.Result != nil && r.Outcome.Result.ExitCode != nil {
		res := r.Outcome.Result
		rows = append(rows, []string{"exit", fmt.Sprintf("%d (%s)", *res.ExitCode, res.ExitReason)})
	}
	if err := pairs(a.out, rows); err != nil {
		return err
	}
	if len(r.History) == 0 {
		return nil
	}
	_, _ = fmt.Fprintln(a.out)
	return printProse(a.out, historyRows(r))
}

func historyRows(r *messages.Record) [][]string {
	rows := [][]string{{"WHEN", "NODE", "ATTEMPT", "WHAT", "WHY"}}
	for _, h := range r.History {
		what := h.Event
		if h.Code != "" {
			what += " (" + h.Code + ")"
		}
		rows = append(rows, []string{
			h.At.Local().Format(time.TimeOnly), orDash(h.Node), strconv.FormatUint(h.Attempt, 10), what, h.Reason,
		})
	}
	return rows
}
