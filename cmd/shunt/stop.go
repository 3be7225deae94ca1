package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (a *app) stopCommand() *cobra.Command {
	var grace time.Duration
	cmd := a.containerVerb("stop CONTAINER", "stop a container: its stop signal, and KILL after its grace", &op{},
		func(ctx context.Context, c *client.Client, container string, how []client.How) (messages.Result, error) {
			return c.Stop(ctx, container, grace, how...)
		})
	graceFlag(cmd, &grace)
	return cmd
}

func graceFlag(cmd *cobra.Command, grace *time.Duration) {
	cmd.Flags().DurationVar(grace, "grace", 0, "how long it has before KILL (default: what its spec says, else 10s)")
}
