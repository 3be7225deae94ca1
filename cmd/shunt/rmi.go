package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) rmiCommand() *cobra.Command {
	var force bool
	cmd := a.imageVerb("rmi IMAGE", "remove an image from a node", 1,
		func(ctx context.Context, c *client.Client, node string, args []string, how []client.How) (messages.Result, error) {
			return c.RemoveImage(ctx, node, args[0], force, how...)
		})
	cmd.Flags().BoolVar(&force, "force", false, "although a container uses it")
	return cmd
}
