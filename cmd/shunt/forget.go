package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
)

func (a *app) forgetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "forget NODE",
		Short: "say that a lost node is gone for good",
		Long: "Says that a lost node is gone for good: what is owed to it is waived, and jobs that wait for\n" +
			"it move. Should it come back after all, what it still runs may run twice.",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				reply, err := c.Forget(ctx, args[0])
				if err != nil {
					return err
				}
				if a.output == "json" {
					return a.json(reply)
				}
				a.say("%s: forgotten, %d jobs left", args[0], reply.Left)
				return nil
			})
		},
	}
}
