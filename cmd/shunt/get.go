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
	return &cobra.Command{
		Use:   "get [JOB]",
		Short: "show a job, or the live jobs",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				if len(args) == 0 {
					return a.getAll(ctx, c)
				}
				rec, err := c.Job(ctx, args[0])
				if err != nil {
					return err
				}
				return a.showRecord(&rec)
			})
		},
	}
}

// getAll shows every live job.
func (a *app) getAll(ctx context.Context, c *client.Client) error {
	var all []messages.Record
	for rec, err := range c.Jobs(ctx, messages.JobsRequest{}) {
		if err != nil {
			return err
		}
		all = append(all, rec)
	}
	return a.showRecords(all)
}

// showRecord prints all there is to say of a job.
func (a *app) showRecord(r *messages.Record) error {
	if a.output == "json" {
		return a.json(r)
	}
	rows := [][]string{
		{"job", r.Job.ID},
		{"state", string(r.State)},
		{"node", orDash(r.Node)},
		{"attempt", strconv.FormatUint(r.Attempt, 10)},
	}
	if r.Reason != "" {
		rows = append(rows, []string{"reason", r.Reason})
	}
	if r.Outcome != nil && r.Outcome.Result != nil && r.Outcome.Result.ExitCode != nil {
		res := r.Outcome.Result
		rows = append(rows, []string{"exit", fmt.Sprintf("%d (%s)", *res.ExitCode, res.ExitReason)})
	}
	if err := table(a.out, rows); err != nil {
		return err
	}
	if len(r.History) == 0 {
		return nil
	}
	_, _ = fmt.Fprintln(a.out)
	return table(a.out, historyRows(r))
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

// showRecords prints a line for each job.
func (a *app) showRecords(records []messages.Record) error {
	if a.output == "json" {
		return a.json(records)
	}
	rows := [][]string{{"JOB", "STATE", "NODE", "ATTEMPT", "AGE", "REASON"}}
	for i := range records {
		r := &records[i]
		rows = append(rows, []string{
			r.Job.ID, string(r.State), orDash(r.Node), strconv.FormatUint(r.Attempt, 10),
			time.Since(r.Created).Round(time.Second).String(), r.Reason,
		})
	}
	return table(a.out, rows)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
