package main

import (
	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/pkg/client"
)

func (a *app) stopCommand() *cobra.Command {
	return a.graceVerb("stop CONTAINER", "stop a container: its stop signal, and KILL after its grace", (*client.Client).Stop)
}
