package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) rmCommand() *cobra.Command {
	var force, volumes bool
	cmd := a.containerVerb("rm CONTAINER", "remove a container", &op{},
		func(ctx context.Context, c *client.Client, container string, how []client.How) (messages.Result, error) {
			return c.Remove(ctx, container, force, volumes, how...)
		})
	cmd.Flags().BoolVar(&force, "force", false, "even if it runs")
	cmd.Flags().BoolVar(&volumes, "volumes", false, "its anonymous volumes too")
	return cmd
}
