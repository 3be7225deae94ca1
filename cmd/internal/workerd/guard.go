package workerd

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/containerd/log"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shunt-fleet/shunt/cmd/internal/process"
	"github.com/shunt-fleet/shunt/internal/worker/guard"
	"github.com/shunt-fleet/shunt/internal/worker/lease"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
)

// newGuard is the guard of a worker whose containers outlive it, or nil.
func newGuard(c *Config, address string) (lease.Guard, error) {
	if address == "" {
		return nil, nil
	}
	worker, err := c.loggerPath()
	if err != nil {
		return nil, err
	}
	return guard.NewProcess(c.StateDir, []string{
		worker, "guard", "--state-dir", c.StateDir, "--containerd", address,
		"--namespace", c.Namespace, "--tools", c.Tools,
	})
}

// unguarded are the runtimes that the guard does not reach: it knows this
// machine's containerd alone.
func (c *Config) unguarded() []string {
	if c.Delegate == "" {
		return nil
	}
	return []string{delegateMember}
}

// GuardCommand is `worker guard`, which workers start.
func GuardCommand() *cobra.Command {
	var c Config
	cmd := &cobra.Command{
		Use: "guard --state-dir DIR", Args: cobra.NoArgs, Hidden: true,
		Short: "ends the containers whose lease runs out while their worker is gone; workers start it",
		RunE:  func(cmd *cobra.Command, _ []string) error { return c.guard(cmd.Context(), cmd.ErrOrStderr()) },
	}
	var all pflag.FlagSet
	c.Flags(&all)
	for _, name := range []string{"state-dir", "containerd", "namespace", "tools"} {
		cmd.Flags().AddFlag(all.Lookup(name))
	}
	return cmd
}

// guard runs the guard's process until nothing is left to guard. SIGTERM ends
// it, which leaves containers without a guard; the worker wakes another one.
func (c *Config) guard(ctx context.Context, out interface{ Write([]byte) (int, error) }) error {
	if c.StateDir == "" {
		return errors.New("--state-dir: none is given; want the worker's")
	}
	if c.Containerd == ContainerdManaged {
		return fmt.Errorf("--containerd: %s: want the address of the worker's containerd", c.Containerd)
	}
	if err := c.makeAbsolute(); err != nil {
		return err
	}
	var err error
	if c.Logger, err = process.Logger(out, "info"); err != nil {
		return err
	}
	_ = log.SetLevel("error")
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT) // of a terminal that the worker had
	return guard.Serve(ctx, c.StateDir, c.lazily(), c.Logger)
}

// lazily connects to containerd when it is asked for, and no more than once.
func (c *Config) lazily() func(context.Context) (guard.Runtime, error) {
	turn := make(chan struct{}, 1)
	var rt *containerd.Runtime
	return func(ctx context.Context) (guard.Runtime, error) {
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		defer func() { <-turn }()
		if rt != nil {
			return rt, nil
		}
		logger, err := c.loggerPath()
		if err != nil {
			return nil, err
		}
		made, err := containerd.New(ctx, c.containerd(c.Containerd, logger))
		if err != nil {
			return nil, fmt.Errorf("containerd at %s: %w", filepath.Clean(c.Containerd), err)
		}
		rt = made
		return rt, nil
	}
}
