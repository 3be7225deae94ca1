package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) startCommand() *cobra.Command {
	return a.containerVerb("start CONTAINER", "start a container that was made, or has ended", &op{},
		func(ctx context.Context, c *client.Client, container string, how []client.How) (messages.Result, error) {
			return c.Start(ctx, container, how...)
		})
}
