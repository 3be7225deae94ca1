// Command placer decides which node a job runs on, and keeps the records of all
// jobs. Run one, or five; none is the leader.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/cmd/internal/placerd"
	"github.com/shunt-fleet/shunt/cmd/internal/process"
	"github.com/shunt-fleet/shunt/cmd/internal/settings"
	"github.com/shunt-fleet/shunt/internal/version"
)

// closeWithin bounds how long an orderly end may take.
const closeWithin = 30 * time.Second

func main() {
	if err := command().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "placer:", err)
		os.Exit(2)
	}
}

func command() *cobra.Command {
	var cfg placerd.Config
	var level string
	cmd := &cobra.Command{
		Use:   "placer --nats URL | --embed-nats HOST:PORT",
		Short: "decides where shunt's jobs run",
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
	return cmd
}

func run(ctx context.Context, cfg placerd.Config) error {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := process.Signals(ctx)
	defer stop()
	p, err := placerd.Start(ctx, cfg)
	if err != nil {
		return err
	}
	process.Ready(os.Stdout, p.ID, p.URL, p.HTTP)
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	p.Close(end)
	return nil
}
