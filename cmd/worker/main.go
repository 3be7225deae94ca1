// Command worker runs shunt's jobs on a node. Its containers outlive it: stop
// it, or kill it, and the next one takes them up.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/cmd/internal/process"
	"github.com/shunt-fleet/shunt/cmd/internal/settings"
	"github.com/shunt-fleet/shunt/cmd/internal/workerd"
	"github.com/shunt-fleet/shunt/internal/version"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/logger"
)

// closeWithin bounds how long an orderly end may take.
const closeWithin = 30 * time.Second

func main() {
	// One of these runs beside every container, so it comes before anything
	// else is set up.
	if len(os.Args) > 1 && os.Args[1] == "log" {
		os.Exit(logger.Main(os.Args[2:]))
	}
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(2)
	}
}

func command() *cobra.Command {
	var cfg workerd.Config
	var level string
	cmd := &cobra.Command{
		Use:   "worker --nats URL --state-dir DIR",
		Short: "runs shunt's jobs on a node",
		Args:  cobra.NoArgs, Version: version.Version,
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := settings.Apply(cmd.Flags()); err != nil {
				return err
			}
			log, err := process.Logger(os.Stderr, level)
			if err != nil {
				return err
			}
			cfg.Logger = log
			return run(cmd.Context(), cfg)
		},
	}
	cfg.Flags(cmd.Flags())
	cmd.Flags().StringVar(&level, "log-level", "info", "least `LEVEL` that is logged: debug, info, warn, error")
	settings.AddConfigFlag(cmd.Flags())
	for _, name := range []string{"delegate", "install", "remove", "guard"} {
		cmd.AddCommand(later(name))
	}
	return cmd
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

func run(ctx context.Context, cfg workerd.Config) error {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := process.Signals(ctx)
	defer stop()
	w, err := workerd.Start(ctx, cfg)
	if err != nil {
		return err
	}
	process.Ready(os.Stdout, w.Node, w.URL, w.HTTP)
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	w.Close(end)
	return nil
}
