package memory

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// execution is a program that runs in a container beside its own. Its fields
// are guarded by the machine's lock.
type execution struct {
	r       *Runtime
	what    string
	process *process
	events  []runtime.ExecEvent // that nobody has read yet
	exited  bool
	turn    broadcast
}

// Exec runs one of the programs of the package comment, to its end.
func (r *Runtime) Exec(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (runtime.ExecResult, error) {
	var stdout, stderr capture
	var result runtime.ExecResult
	for event, err := range r.ExecStream(ctx, id, opts) {
		switch {
		case err != nil:
			return runtime.ExecResult{}, err
		case event.Exit != nil:
			result.ExitCode = *event.Exit
		case event.Stream == runtime.Stderr:
			stderr.add(event.Data)
		default:
			stdout.add(event.Data)
		}
	}
	result.Stdout, result.Stderr = stdout.Bytes(), stderr.Bytes()
	result.Truncated = stdout.cut || stderr.cut
	return result, nil
}

// capture is output up to its limit.
type capture struct {
	bytes.Buffer
	cut bool
}

func (c *capture) add(data []byte) {
	room := messages.MaxCapturedBytes - c.Len()
	if len(data) > room {
		data, c.cut = data[:room], true
	}
	c.Write(data)
}

// ExecStream is Exec with its output as it comes.
func (r *Runtime) ExecStream(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) iter.Seq2[runtime.ExecEvent, error] {
	return func(yield func(runtime.ExecEvent, error) bool) {
		e, err := r.exec(ctx, id, opts)
		if err != nil {
			yield(runtime.ExecEvent{}, err)
			return
		}
		defer e.process.raise(sigKill)
		e.forward(ctx, yield)
	}
}

// exec starts a program in a container that runs.
func (r *Runtime) exec(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (*execution, error) {
	c, unlock, err := r.on(ctx, "exec in", id)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := c.running("exec in"); err != nil {
		return nil, err
	}
	if c.process.isFrozen() {
		return nil, fmt.Errorf("exec in %s: it is paused: %w", id, errdefs.ErrFailedPrecondition)
	}
	prog, err := execProgram(opts)
	if err != nil {
		return nil, fmt.Errorf("exec in %s: %w", id, err)
	}
	e := &execution{r: r, what: "exec in " + id.String()}
	e.process = r.m.run(prog, e.wrote, func(p *process, code int) {
		delete(c.execs, p)
		e.exited = true
		e.add(runtime.ExecEvent{Exit: &code})
	})
	c.execs[e.process] = struct{}{}
	return e, nil
}

// execProgram finds the program. One that is not known is not run at all: it
// would be a command that never ends.
func execProgram(opts runtime.ExecOptions) (program, error) {
	if len(opts.Cmd) == 0 {
		return nil, fmt.Errorf("cmd is empty; want a program and its arguments: %w", errdefs.ErrInvalidArgument)
	}
	if opts.TTY {
		return nil, fmt.Errorf("tty: the memory runtime has no terminals: %w", errdefs.ErrNotImplemented)
	}
	prog, known := programFor(opts.Cmd)
	if !known {
		return nil, fmt.Errorf("cmd %q: the memory runtime executes only true, false, sleep, echo, exit and sh -c of these: %w",
			opts.Cmd, errdefs.ErrNotImplemented)
	}
	return prog, nil
}

func (e *execution) wrote(stream runtime.Stream, data []byte) {
	e.add(runtime.ExecEvent{Stream: stream, Data: data})
}

func (e *execution) add(event runtime.ExecEvent) {
	e.events = append(e.events, event)
	e.turn.changed()
}

// forward yields events until the exit, an error, or the reader's end.
func (e *execution) forward(ctx context.Context, yield func(runtime.ExecEvent, error) bool) {
	for {
		events, err := e.take(ctx)
		if err != nil {
			yield(runtime.ExecEvent{}, err)
			return
		}
		for _, event := range events {
			if !yield(event, nil) || event.Exit != nil {
				return
			}
		}
		if len(events) == 0 {
			return // the exit was read before
		}
	}
}

// take waits for events; none are left when the exit was taken.
func (e *execution) take(ctx context.Context) ([]runtime.ExecEvent, error) {
	e.r.m.mu.Lock()
	defer e.r.m.mu.Unlock()
	ready := func() bool { return len(e.events) > 0 || e.exited }
	if _, err := e.r.await(ctx, e.what, &e.turn, nil, ready); err != nil {
		return nil, err
	}
	events := e.events
	e.events = nil
	return events, nil
}
