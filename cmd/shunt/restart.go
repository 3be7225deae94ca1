package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) restartCommand() *cobra.Command {
	var grace time.Duration
	cmd := a.containerVerb("restart CONTAINER", "stop a container and start it again", &op{},
		func(ctx context.Context, c *client.Client, container string, how []client.How) (messages.Result, error) {
			return c.Restart(ctx, container, grace, how...)
		})
	graceFlag(cmd, &grace)
	return cmd
}
