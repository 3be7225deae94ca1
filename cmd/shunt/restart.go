package main

import (
	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
)

func (a *app) restartCommand() *cobra.Command {
	return a.graceVerb("restart CONTAINER", "stop a container and start it again", (*client.Client).Restart)
}
