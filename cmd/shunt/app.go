package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/cmd/internal/process"
	"github.com/shunt-fleet/shunt/cmd/internal/settings"
	"github.com/shunt-fleet/shunt/internal/sim"
	"github.com/shunt-fleet/shunt/internal/version"
	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Exit codes of every verb.
const (
	exitDone        = 0
	exitJobFailed   = 1
	exitBadUse      = 2
	exitUnreachable = 3
	exitTimedOut    = 4
)

// errJobFailed says that the verb did its work and the job did not do well.
var errJobFailed = errors.New("the job did not complete")

// app is what the verbs share.
type app struct {
	in       io.Reader
	out, err io.Writer

	cfg     client.Config
	root    string
	output  string
	timeout time.Duration
}

// run is main with its surroundings as arguments; it returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	a := &app{in: in, out: out, err: errOut}
	cmd := a.command()
	cmd.SetArgs(args)
	cmd.SetOut(out)
	cmd.SetErr(errOut)
	ctx, stop := process.Signals(ctx)
	defer stop()
	err := cmd.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, errJobFailed) {
		_, _ = fmt.Fprintln(errOut, "shunt:", err)
	}
	return exitCode(err)
}

// exitCode is the code that stands for an error.
func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errJobFailed):
		return exitJobFailed
	case errors.Is(err, client.ErrUnreachable):
		return exitUnreachable
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return exitTimedOut
	}
	if e, ok := errors.AsType[*messages.Error](err); ok && e.Code == messages.CodeUnavailable {
		return exitUnreachable
	}
	return exitBadUse
}

func (a *app) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "shunt",
		Short:         "container jobs on fleets whose machines are not alike",
		Version:       version.Version,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := settings.Apply(cmd.Flags()); err != nil {
				return err
			}
			a.cfg.Root = messages.Root(a.root)
			if a.output != "table" && a.output != "json" {
				return fmt.Errorf("--output: %q is not a form; want table or json", a.output)
			}
			return nil
		},
	}
	f := cmd.PersistentFlags()
	f.StringVar(&a.cfg.URL, "nats", "nats://127.0.0.1:4222", "`URL` of the NATS server")
	f.StringVar(&a.cfg.Creds, "creds", "", "`FILE` with the NATS credentials")
	f.StringVar(&a.cfg.TLSCA, "tls-ca", "", "PEM `FILE` with the authorities of the NATS server's certificate")
	f.StringVar(&a.root, "subject-root", messages.DefaultRoot, "first `TOKEN` of every subject")
	f.StringVar(&a.output, "output", "table", "table or json")
	f.DurationVar(&a.timeout, "timeout", 0, "how long to wait at the most; 0: 10s for an answer, no limit for a job")
	settings.AddConfigFlag(f)
	cmd.AddCommand(a.submitCommand(), a.getCommand(), a.nodesCommand(), a.logsCommand(),
		a.explainCommand(), a.devCommand(), a.demoCommand(), a.simCommand(sim.Harness))
	return cmd
}

// answerWithin is how long a single answer is waited for.
const answerWithin = 10 * time.Second

// patience bounds a verb that waits for a single answer.
func (a *app) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	limit := a.timeout
	if limit == 0 {
		limit = answerWithin
	}
	return context.WithTimeout(ctx, limit)
}

// bounded bounds a verb that waits for a job.
func (a *app) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, a.timeout)
}

// connect connects to the fleet.
func (a *app) connect(ctx context.Context) (*client.Client, error) {
	cfg := a.cfg
	cfg.Name = "shunt"
	return client.Connect(ctx, cfg)
}

// ask connects for a verb that wants single answers.
func (a *app) ask(ctx context.Context, f func(context.Context, *client.Client) error) error {
	ctx, cancel := a.patience(ctx)
	defer cancel()
	c, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return f(ctx, c)
}

// json prints a value as JSON.
func (a *app) json(v any) error {
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// table prints rows in columns; the first row is the head.
func table(w io.Writer, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			if i > 0 {
				_, _ = fmt.Fprint(t, "\t")
			}
			_, _ = fmt.Fprint(t, cell)
		}
		_, _ = fmt.Fprintln(t)
	}
	return t.Flush()
}
