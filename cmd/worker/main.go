// Command worker runs shunt's jobs on a node. Its containers outlive it: stop
// it, or kill it, and the next one takes them up.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/cmd/internal/process"
	"github.com/shunt-fleet/shunt/cmd/internal/workerd"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/logger"
)

func main() {
	// One of these runs beside every container, so it comes before anything
	// else is set up.
	if len(os.Args) > 1 && os.Args[1] == "log" {
		os.Exit(logger.Main(os.Args[2:]))
	}
	var cfg workerd.Config
	daemon := process.Daemon{
		Use:   "worker --nats URL --state-dir DIR",
		Short: "runs shunt's jobs on a node",
		Flags: cfg.Flags,
		Start: func(ctx context.Context, log *slog.Logger) (process.Running, error) {
			cfg.Logger = log
			return workerd.Start(ctx, cfg)
		},
	}
	cmd := daemon.Command()
	cmd.AddCommand(workerd.GuardCommand(), workerd.DelegateCommand())
	for _, name := range []string{"install", "remove"} {
		cmd.AddCommand(later(name))
	}
	os.Exit(process.Main(cmd))
}

// later is a subcommand of the contract that this version does not have.
func later(name string) *cobra.Command {
	return &cobra.Command{
		Use: name, Hidden: true, DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("%s: this version does not know it yet", name)
		},
	}
}
