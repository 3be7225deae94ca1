package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) renameCommand() *cobra.Command {
	var o op
	cmd := &cobra.Command{
		Use:               "rename CONTAINER NAME",
		Short:             "give a container a second name",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: a.completeContainers,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onContainer(cmd.Context(), &o, args[0],
				func(ctx context.Context, c *client.Client, container string, how []client.How) (messages.Result, error) {
					return c.Rename(ctx, container, args[1], how...)
				})
		},
	}
	o.flags(cmd, a)
	return cmd
}
