// Command placer decides which node a job runs on, and keeps the records of all
// jobs. Run one, or five; none is the leader.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/shunt-fleet/shunt/cmd/internal/placerd"
	"github.com/shunt-fleet/shunt/cmd/internal/process"
)

func main() {
	var cfg placerd.Config
	daemon := process.Daemon{
		Use:   "placer --nats URL | --embed-nats HOST:PORT",
		Short: "decides where shunt's jobs run",
		Flags: cfg.Flags,
		Start: func(ctx context.Context, log *slog.Logger) (process.Running, error) {
			cfg.Logger = log
			return placerd.Start(ctx, cfg)
		},
	}
	os.Exit(process.Main(daemon.Command()))
}
