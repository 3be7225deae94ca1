package process

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shunt-fleet/shunt/cmd/internal/settings"
	"github.com/shunt-fleet/shunt/internal/version"
)

// closeWithin bounds how long the orderly end of a daemon may take.
const closeWithin = 30 * time.Second

// Running is a daemon at work.
type Running interface {
	// Names are what its ready line says.
	Names() (node, nats, http string)
	Close(ctx context.Context)
}

// A Running may have more to it.
type (
	// drainer has work to finish before it is closed: Drain returns when that is
	// done, at the latest when ctx ends.
	drainer interface{ Drain(ctx context.Context) }
	// failer may find out that it cannot go on.
	failer interface{ Failed() <-chan error }
)

// Daemon is a program that works until it is told to end: flags, log and
// signals are alike for all of them.
type Daemon struct {
	Use, Short string
	Flags      func(*pflag.FlagSet)
	Start      func(context.Context, *slog.Logger) (Running, error)
}

// Command is the daemon's command line.
func (d Daemon) Command() *cobra.Command {
	var level string
	cmd := &cobra.Command{
		Use: d.Use, Short: d.Short, Args: cobra.NoArgs, Version: version.Version,
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := settings.Apply(cmd.Flags()); err != nil {
				return err
			}
			log, err := Logger(os.Stderr, level)
			if err != nil {
				return err
			}
			return d.run(cmd.Context(), log)
		},
	}
	d.Flags(cmd.Flags())
	cmd.Flags().StringVar(&level, "log-level", "info", "least `LEVEL` that is logged: debug, info, warn, error")
	settings.AddConfigFlag(cmd.Flags())
	return cmd
}

func (d Daemon) run(ctx context.Context, log *slog.Logger) error {
	told := Listen(ctx)
	defer told.Stop()
	running, err := d.Start(told.Once, log)
	if err != nil {
		return err
	}
	node, nats, http := running.Names()
	Ready(os.Stdout, node, nats, http)
	err = untilTold(told, running)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	running.Close(end)
	return err
}

// untilTold returns when the daemon is to be closed: after the first signal and
// what it finishes on that, at once with the second, or with the error for which
// it cannot go on.
func untilTold(told *Told, running Running) error {
	var failed <-chan error
	if f, ok := running.(failer); ok {
		failed = f.Failed()
	}
	select {
	case err := <-failed:
		return err
	case <-told.Once.Done():
	}
	if d, ok := running.(drainer); ok {
		d.Drain(told.Twice)
	} else {
		told.NoMore()
	}
	return nil
}

// Main runs a command line and returns the process's exit code: 2 for whatever
// keeps a daemon from working.
func Main(cmd *cobra.Command) int {
	if err := cmd.ExecuteContext(context.Background()); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "%s: %v\n", cmd.Name(), err)
		return 2
	}
	return 0
}
