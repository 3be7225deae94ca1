package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/shunt-fleet/shunt/cmd/internal/process"
	"github.com/shunt-fleet/shunt/cmd/internal/settings"
	"github.com/shunt-fleet/shunt/internal/sim"
	"github.com/shunt-fleet/shunt/internal/version"
	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// app is what the verbs share.
type app struct {
	in       io.Reader
	out, err io.Writer

	cfg     client.Config
	context string // of the nats command line, by name
	both    bool   // a server is given beside the context
	root    string
	output  string
	timeout time.Duration
	begun   bool // the command line was well-formed, and a verb is at work
}

// run is main with its surroundings as arguments; it returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	errOut = &oneAtATime{w: errOut}
	a := &app{in: in, out: out, err: errOut}
	cmd := a.command()
	cmd.SetArgs(args)
	cmd.SetIn(in)
	cmd.SetOut(out)
	cmd.SetErr(errOut)
	ctx, stop := process.Signals(ctx)
	defer stop()
	verb, err := cmd.ExecuteContextC(ctx)
	if err != nil && !errors.Is(err, errJobFailed) {
		_, _ = fmt.Fprintln(errOut, "shunt:", inWords(err))
		next := nextStep(err)
		if !a.begun {
			next = fmt.Sprintf("`%s --help` says what there is", verb.CommandPath())
		}
		if next != "" {
			_, _ = fmt.Fprintln(errOut, "next:", next)
		}
	}
	return exitCode(err)
}

func (a *app) command() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "shunt",
		Short:             "container jobs on fleets whose machines are not alike",
		Version:           version.Version,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.begin(cmd) },
	}
	f := cmd.PersistentFlags()
	f.StringVar(&a.cfg.URL, "nats", defaultURL, "`URL` of the NATS server")
	f.StringVar(&a.context, "context", "", "`NAME` of a context of the nats command line, which says the server and the credentials")
	f.StringVar(&a.cfg.Creds, "creds", "", "`FILE` with the NATS credentials")
	f.StringVar(&a.cfg.TLSCA, "tls-ca", "", "PEM `FILE` with the authorities of the NATS server's certificate")
	f.StringVar(&a.root, "subject-root", messages.DefaultRoot, "first `TOKEN` of every subject")
	f.StringVar(&a.output, "output", "table", "table or json")
	f.DurationVar(&a.timeout, "timeout", 0, "how long to wait at the most; 0: 10s for an answer, no limit for a job")
	settings.AddConfigFlag(f)
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("context", cobra.NoFileCompletions)
	cmd.AddGroup(&cobra.Group{ID: groupJobs, Title: "Jobs:"}, &cobra.Group{ID: groupContainers, Title: "Containers:"},
		&cobra.Group{ID: groupImages, Title: "Images of a node:"}, &cobra.Group{ID: groupFleet, Title: "The fleet:"},
		&cobra.Group{ID: groupTry, Title: "Trying it:"})
	a.addVerbs(cmd)
	return cmd
}

// The groups in which help lists the verbs.
const (
	groupJobs       = "jobs"
	groupContainers = "containers"
	groupImages     = "images"
	groupFleet      = "fleet"
	groupTry        = "try"
)

// addVerbs adds every verb, each in its group.
func (a *app) addVerbs(root *cobra.Command) {
	for group, verbs := range map[string][]*cobra.Command{
		groupJobs: {
			a.submitCommand(), a.runCommand(), a.applyCommand(), a.deleteCommand(), a.jobsCommand(), a.getCommand(),
			a.explainCommand(), a.waitCommand(), a.logsCommand(), a.cancelCommand(), a.retryCommand(),
		},
		groupContainers: {
			a.execCommand(), a.startCommand(), a.stopCommand(), a.restartCommand(), a.killCommand(), a.rmCommand(),
			a.renameCommand(), a.inspectCommand(), a.statsCommand(),
		},
		groupImages: {a.pullCommand(), a.imagesCommand(), a.tagCommand(), a.rmiCommand(), a.pruneCommand()},
		groupFleet: {
			a.nodesCommand(), a.peersCommand(), a.infoCommand(), a.drainCommand(), a.undrainCommand(),
			a.forgetCommand(), a.eventsCommand(),
		},
		groupTry: {a.devCommand(), a.demoCommand(), a.simCommand(sim.Harness)},
	} {
		for _, verb := range verbs {
			verb.GroupID = group
			do := verb.RunE
			verb.RunE = func(cmd *cobra.Command, args []string) error { a.begun = true; return do(cmd, args) }
		}
		root.AddCommand(verbs...)
	}
	root.AddCommand(completionCommand())
}

// begin reads the settings that all verbs have. Server and context are two ways to
// say the same: the one on the command line wins over the other one elsewhere.
func (a *app) begin(cmd *cobra.Command) error {
	f := cmd.Flags()
	byURL, byContext := f.Changed("nats"), f.Changed("context")
	if err := settings.Apply(f); err != nil {
		return err
	}
	if byURL && !byContext {
		a.context = ""
	}
	a.both = f.Changed("nats") && byURL == byContext
	a.cfg.Root = messages.Root(a.root)
	if !slices.Contains([]string{"table", "json"}, a.output) {
		return fmt.Errorf("--output: %q is not a form; want table or json", a.output)
	}
	return nil
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

// ask connects for a verb that wants single answers.
func (a *app) ask(ctx context.Context, f func(context.Context, *client.Client) error) error {
	ctx, cancel := a.patience(ctx)
	defer cancel()
	return a.with(ctx, f)
}

// last connects for a verb that lasts until there is no more to say.
func (a *app) last(ctx context.Context, f func(context.Context, *client.Client) error) error {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	return a.with(ctx, f)
}

func (a *app) with(ctx context.Context, f func(context.Context, *client.Client) error) error {
	c, stop, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer stop()
	return f(ctx, c)
}

// say prints a line for the person at the terminal.
func (a *app) say(format string, args ...any) {
	_, _ = fmt.Fprintf(a.out, format+"\n", args...)
}

// oneAtATime is a writer for what several goroutines have to say.
type oneAtATime struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *oneAtATime) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.w.Write(p)
}

// note prints a line that is not part of what was asked for.
func (a *app) note(format string, args ...any) {
	_, _ = fmt.Fprintf(a.err, format+"\n", args...)
}
