package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) retryCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:               "retry JOB…",
		Short:             "begin another life of jobs that have ended badly, or end the waiting of pending ones",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				return a.eachJob(args, func(id string) (messages.Record, error) { return c.Retry(ctx, id, reason) })
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`WHY`, for the record")
	return cmd
}
