//go:build linux || windows

package containerd

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Exec runs a program to its end and keeps the beginning of its output.
func (r *Runtime) Exec(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (runtime.ExecResult, error) {
	var out runtime.ExecResult
	for event, err := range r.ExecStream(ctx, id, opts) {
		switch {
		case err != nil:
			return out, err
		case event.Exit != nil:
			out.ExitCode = *event.Exit
		case event.Stream == runtime.Stderr:
			out.Stderr = keep(out.Stderr, event.Data, &out.Truncated)
		default:
			out.Stdout = keep(out.Stdout, event.Data, &out.Truncated)
		}
	}
	return out, nil
}

// keep adds as much of data as there is room for.
func keep(kept, data []byte, truncated *bool) []byte {
	if room := messages.MaxCapturedBytes - len(kept); len(data) > room {
		data, *truncated = data[:room], true
	}
	return append(kept, data...)
}

// ExecStream runs a program and gives out its output as it comes.
func (r *Runtime) ExecStream(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) iter.Seq2[runtime.ExecEvent, error] {
	return func(yield func(runtime.ExecEvent, error) bool) {
		opts.Stdin = false
		session, err := r.ExecSession(ctx, id, opts)
		if err != nil {
			yield(runtime.ExecEvent{}, err)
			return
		}
		defer session.Close()
		for event, err := range session.Events() {
			if !yield(event, err) {
				return
			}
		}
	}
}

// programFor is the program as the shim is told: the container's own process with
// what the caller says over it. pid is that of the container.
func programFor(rec containers.Container, pid int, opts runtime.ExecOptions) (*specs.Process, error) {
	var spec specs.Spec
	if err := json.Unmarshal(rec.Spec.GetValue(), &spec); err != nil {
		return nil, fmt.Errorf("the OCI spec in its record: %w: %w", errdefs.ErrDataLoss, err)
	}
	if spec.Process == nil {
		return nil, fmt.Errorf("the OCI spec in its record has no process: %w", errdefs.ErrDataLoss)
	}
	if len(opts.Cmd) == 0 || opts.Cmd[0] == "" {
		return nil, fmt.Errorf("cmd: there is none; want a program and its arguments: %w", errdefs.ErrInvalidArgument)
	}
	p := *spec.Process
	p.Args, p.Terminal = opts.Cmd, opts.TTY
	p.Cwd = firstOf(opts.Workdir, p.Cwd)
	p.Env = slices.Clone(p.Env)
	if opts.TTY {
		p.Env = overrideEnv(p.Env, map[string]string{"TERM": "xterm"})
	}
	p.Env = overrideEnv(p.Env, opts.Env)
	if opts.User == "" {
		return &p, nil
	}
	return &p, setExecUser(&p, pid, opts.User)
}
