package workerd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/shunt-fleet/shunt/cmd/internal/process"
	"github.com/shunt-fleet/shunt/cmd/internal/settings"
	"github.com/shunt-fleet/shunt/internal/version"
	port "github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/remote"
)

// delegateDir is where a delegate on Linux keeps what it keeps, unless it is told.
const delegateDir = "/var/lib/shunt-delegate"

// delegateFlags are those of the worker's that a delegate has as well.
var delegateFlags = []string{"runtime", "containerd", "platforms", "state-dir", "tools", "namespace", "registry-hosts", "subnet"}

// DelegateCommand is `worker delegate`, which workers start (--delegate).
func DelegateCommand() *cobra.Command {
	var c Config
	var level string
	cmd := &cobra.Command{
		Use: "delegate", Args: cobra.NoArgs,
		Short: "serves this machine's runtime on standard input and output, to the worker that starts it (--delegate)",
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := settings.Apply(cmd.Flags())
			if err == nil {
				c.Logger, err = process.Logger(os.Stderr, level)
			}
			if err != nil {
				return err
			}
			return c.delegate(cmd.Context())
		},
	}
	var all pflag.FlagSet
	c.Flags(&all)
	for _, name := range delegateFlags {
		cmd.Flags().AddFlag(all.Lookup(name))
	}
	cmd.Flags().StringVar(&level, "log-level", "info", "least `LEVEL` that is logged, to standard error: debug, info, warn, error")
	settings.AddConfigFlag(cmd.Flags())
	return cmd
}

// delegate serves the runtime until the worker is gone, or it is told to leave.
func (c *Config) delegate(ctx context.Context) error {
	if term.IsTerminal(int(os.Stdout.Fd())) {
		return errors.New("standard output is a terminal; a worker starts this, and speaks with it: worker --delegate 'worker delegate'")
	}
	pipe := &stdio{in: os.Stdin, out: os.Stdout}
	os.Stdout = os.Stderr // whatever is printed must not get into the pipe
	// A worker that is gone is seen by what cannot be written. The signal is taken
	// and not ignored, which the processes started here would inherit.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, stop := process.Signals(ctx)
	defer stop()
	cfg := remote.ServeConfig{Version: version.Version, Logger: c.Logger}
	rt, closeRuntime, err := c.delegated(ctx)
	if err != nil {
		return errors.Join(err, remote.Decline(pipe, err, cfg))
	}
	defer closeRuntime()
	err = remote.Serve(ctx, pipe, rt, cfg)
	if errors.Is(err, remote.ErrLeft) {
		c.Logger.Info("the worker is gone, and so its delegate leaves; containers run on")
		return nil
	}
	return err
}

// delegated is the runtime that a delegate serves.
func (c *Config) delegated(ctx context.Context) (port.Runtime, func(), error) {
	if c.StateDir == "" && c.Runtime == RuntimeContainerd {
		if runtime.GOOS != "linux" {
			return nil, nil, errors.New("--state-dir: none is given; want a directory of this delegate's own that outlives it")
		}
		c.StateDir = delegateDir
	}
	if err := c.validateRuntime(); err != nil {
		return nil, nil, err
	}
	if c.StateDir != "" {
		if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
			return nil, nil, fmt.Errorf("--state-dir: %w", err)
		}
	}
	r := &runtimes{}
	rt, _, err := r.primary(ctx, c)
	if err != nil {
		r.Close()
		return nil, nil, err
	}
	return rt, r.Close, nil
}

// stdio is this process's input and output as one pipe.
type stdio struct{ in, out *os.File }

var _ io.ReadWriteCloser = (*stdio)(nil)

func (s *stdio) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s *stdio) Write(p []byte) (int, error) { return s.out.Write(p) }
func (s *stdio) Close() error                { return errors.Join(s.in.Close(), s.out.Close()) }
