package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/cmd/internal/process"
)

func (a *app) devCommand() *cobra.Command {
	var dir, listen, level string
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "a whole fleet in one process, to try everything with",
		Long: "A whole fleet in one process: NATS, a placer, a registry with an image, a Linux worker\n" +
			"(with a real containerd where that is possible), and a worker shaped like a Windows\n" +
			"node without a delegate. It goes on until it is stopped; the next one takes up what it left.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := process.Logger(a.err, level)
			if err != nil {
				return err
			}
			if dir == "" {
				if dir, err = stateDir(); err != nil {
					return err
				}
			}
			if err := os.MkdirAll(dir, 0o700); err != nil {
				return fmt.Errorf("--state-dir: %w", err)
			}
			f, err := newFleet(cmd.Context(), dir, listen, log)
			if err != nil {
				return err
			}
			defer f.shutdown()
			return a.dev(cmd.Context(), f)
		},
	}
	cmd.Flags().StringVar(&dir, "state-dir", "", "`DIR` of everything the fleet keeps (default: a folder for state of the user)")
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:4222", "`HOST:PORT` of the NATS server")
	cmd.Flags().StringVar(&level, "log-level", "info", "least `LEVEL` that is logged: debug, info, warn, error")
	return cmd
}

func (a *app) dev(ctx context.Context, f *fleet) error {
	if err := f.windowsWorker(ctx, "win-1"); err != nil {
		return err
	}
	if err := f.linuxWorker(ctx, "linux-1", nil); err != nil {
		return err
	}
	image, err := f.pushHello(ctx, "sh", "-c", "echo hello from a Linux container")
	if err != nil {
		return err
	}
	process.Ready(a.out, f.placer.ID, f.placer.URL, f.placer.HTTP)
	a.say("")
	if f.real != "" {
		a.say("Containers are only pretended (the memory runtime): %s.", f.real)
	}
	a.say("Nodes: win-1 (shaped like Windows, refuses Linux jobs) and linux-1. Try, in another terminal:")
	a.say("")
	a.say("  export SHUNT_NATS=%s", f.placer.URL)
	a.say("  shunt nodes")
	a.say("  shunt submit %s --id hello-1 --node win-1 --wait", image)
	a.say("  shunt logs hello-1")
	a.say("  shunt explain hello-1")
	a.say("")
	<-ctx.Done()
	return nil
}
