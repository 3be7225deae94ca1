package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) pruneCommand() *cobra.Command {
	return a.imageVerb("prune", "remove what no container on a node needs", 0,
		func(ctx context.Context, c *client.Client, node string, _ []string, how []client.How) (messages.Result, error) {
			return c.Prune(ctx, node, how...)
		})
}
