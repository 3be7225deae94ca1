package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) killCommand() *cobra.Command {
	var signal string
	cmd := a.containerVerb("kill CONTAINER", "send a container a signal", &op{},
		func(ctx context.Context, c *client.Client, container string, how []client.How) (messages.Result, error) {
			return c.Kill(ctx, container, signal, how...)
		})
	cmd.Flags().StringVar(&signal, "signal", "KILL", "which `SIGNAL`")
	return cmd
}
