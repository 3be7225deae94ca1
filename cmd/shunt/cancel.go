package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) cancelCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:               "cancel JOB…",
		Short:             "end jobs",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeJobs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				return a.eachJob(args, func(id string) (messages.Record, error) { return c.Cancel(ctx, id, reason) })
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`WHY`, for the record")
	return cmd
}

// eachJob does something about each job, and shows what it is then. One that
// fails does not keep the others from it.
func (a *app) eachJob(ids []string, do func(id string) (messages.Record, error)) error {
	var errs []error
	for _, id := range ids {
		rec, err := do(id)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("job %s: %w", id, err))
		case a.output == "json":
			errs = append(errs, a.json(rec))
		default:
			a.say("%s: %s", id, stateOf(&rec))
		}
	}
	return errors.Join(errs...)
}
