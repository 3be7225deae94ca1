package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// execution is the flags of exec.
type execution struct {
	req         messages.ExecRequest
	interactive bool
	node        string
	env         map[string]string
}

func (a *app) execCommand() *cobra.Command {
	var e execution
	cmd := &cobra.Command{
		Use:   "exec [-it] CONTAINER -- COMMAND…",
		Short: "run a program in a running container",
		Long: "Runs a program in a running container. The exit code is 0 if the program's was, and 1\n" +
			"if it was another, which is then said. With -t the program has a terminal: what is typed\n" +
			"goes to it as it is, Ctrl-C included.",
		Example:           "  shunt exec -it web-rep-0 -- sh",
		Args:              cobra.MinimumNArgs(2),
		ValidArgsFunction: a.completeContainers,
		RunE: func(cmd *cobra.Command, args []string) error {
			e.req.Container, e.req.Cmd, e.req.Env = args[0], args[1:], e.env
			return a.exec(cmd.Context(), &e)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&e.interactive, "stdin", "i", false, "pass standard input on")
	f.BoolVarP(&e.req.TTY, "tty", "t", false, "give the program a terminal")
	f.StringVar(&e.node, "node", "", "the `NODE` that has the container (default: it is looked for)")
	f.StringToStringVarP(&e.env, "env", "e", nil, "a variable for the program, as `K=V`")
	f.StringVarP(&e.req.Workdir, "workdir", "w", "", "the `DIR` it begins in")
	f.StringVarP(&e.req.User, "user", "u", "", "the `USER` it runs as")
	_ = cmd.RegisterFlagCompletionFunc("node", a.completeNodes)
	return cmd
}

func (a *app) exec(ctx context.Context, e *execution) error {
	return a.last(ctx, func(ctx context.Context, c *client.Client) error {
		p, err := find(ctx, c, e.req.Container, e.node)
		if err != nil {
			return err
		}
		e.req.Container = p.container
		streams := a.programSays(p.container)
		if e.interactive {
			streams.Stdin = a.in
		}
		restore := func() {}
		if e.req.TTY {
			if restore, err = rawMode(a.in); err != nil {
				return err
			}
		}
		defer restore()
		code, err := a.execIn(ctx, c.Node(p.node), e, streams)
		restore()
		if err != nil && ctx.Err() != nil {
			return fmt.Errorf("%w: %w", errProgramEnded, context.Cause(ctx))
		}
		if err != nil {
			return err
		}
		return a.execEnded(p, code)
	})
}

// programSays is where the program's output goes; in JSON all of it belongs to the
// answer.
func (a *app) programSays(container string) client.Streams {
	if a.output != "json" {
		return client.Streams{Stdout: a.out, Stderr: a.err}
	}
	out := &oneAtATime{w: a.out}
	return client.Streams{Stdout: &pieces{out, container, "stdout"}, Stderr: &pieces{out, container, "stderr"}}
}

// execIn runs the program; with a terminal, as large as this one.
func (a *app) execIn(ctx context.Context, node *client.Node, e *execution, streams client.Streams) (int, error) {
	x, err := node.Exec(ctx, e.req, streams)
	if err != nil {
		return -1, err
	}
	if e.req.TTY {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		go resizes(ctx, a.in, x)
	}
	return x.Wait()
}

// execEnded says how the program ended.
func (a *app) execEnded(p place, code int) error {
	if a.output == "json" {
		ended := map[string]any{"node": p.node, "container": p.container, "exit_code": code}
		if err := json.NewEncoder(a.out).Encode(ended); err != nil {
			return err
		}
	} else if code != 0 {
		a.note("the program ended with exit code %d", code)
	}
	if code != 0 {
		return errJobFailed
	}
	return nil
}

// errProgramEnded says what came of a program whose asker has gone away.
var errProgramEnded = errors.New("given up, and the program is ended")

// errNoTerminal says why there is no terminal.
var errNoTerminal = errors.New("-t wants a terminal, and standard input is none; leave -t out")

// rawMode gives every key to the program, until restore is called.
func rawMode(in io.Reader) (restore func(), err error) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, errNoTerminal
	}
	before, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return nil, fmt.Errorf("the terminal: %w", err)
	}
	return func() { _ = term.Restore(int(f.Fd()), before) }, nil
}

// resizes tells the program how large the terminal is, now and when that
// changes.
func resizes(ctx context.Context, in io.Reader, x *client.Execution) {
	f, ok := in.(*os.File)
	if !ok {
		return
	}
	changed, stop := sizeChanges()
	defer stop()
	for rows, cols := 0, 0; ; {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil && (w != cols || h != rows) && w > 0 && h > 0 {
			rows, cols = h, w
			if x.Resize(uint16(rows), uint16(cols)) != nil {
				return
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}
