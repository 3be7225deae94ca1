package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
)

func (a *app) undrainCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "undrain NODE",
		Short:             "let a node take work again",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.ask(cmd.Context(), func(ctx context.Context, c *client.Client) error {
				reply, err := c.Undrain(ctx, args[0])
				return a.showDrain(&reply, err)
			})
		},
	}
}
