//go:build linux || windows

package containerd

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/containerd/containerd/api/services/tasks/v1"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// execProcess is a program that was added to a running task.
type execProcess struct {
	r       *Runtime
	cid, id string
	io      cio.IO
}

// addProcess adds a program to the container's task; it is not started yet.
// When that fails, or may have, nothing of it is left.
func (r *Runtime) addProcess(ctx context.Context, cid string, spec *specs.Process, streams cio.Creator) (*execProcess, error) {
	packed, err := typeurl.MarshalAnyToProto(spec)
	if err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	p := &execProcess{r: r, cid: cid, id: execPrefix + rand.Text()}
	if p.io, err = streams(p.id); err != nil {
		return nil, fmt.Errorf("its FIFOs: %w", err)
	}
	io := p.io.Config()
	_, err = r.tasks.Exec(ctx, &tasks.ExecProcessRequest{
		ContainerID: cid, ExecID: p.id, Spec: packed,
		Terminal: io.Terminal, Stdin: io.Stdin, Stdout: io.Stdout, Stderr: io.Stderr,
	})
	if err != nil {
		_ = p.discard(ctx) // what counts is why it was not made
		return nil, native(err)
	}
	return p, nil
}

func (p *execProcess) start(ctx context.Context) error {
	_, err := p.r.tasks.Start(ctx, &tasks.StartRequest{ContainerID: p.cid, ExecID: p.id})
	return native(err)
}

// wait is the program's exit code, over the times when containerd is away.
func (p *execProcess) wait(ctx context.Context) (int, error) {
	exit, err := p.r.waitTask(ctx, p.cid, p.id)
	if err != nil {
		return 0, err
	}
	return int(exit.ExitStatus), nil
}

func (p *execProcess) kill(ctx context.Context, signal int) error {
	_, err := p.r.tasks.Kill(ctx, &tasks.KillRequest{ContainerID: p.cid, ExecID: p.id, Signal: uint32(signal)})
	return native(err)
}

func (p *execProcess) resize(ctx context.Context, rows, cols uint16) error {
	_, err := p.r.tasks.ResizePty(ctx, &tasks.ResizePtyRequest{ContainerID: p.cid, ExecID: p.id, Height: uint32(rows), Width: uint32(cols)})
	return native(err)
}

// closeInput tells the shim, which holds the pipe open too.
func (p *execProcess) closeInput(ctx context.Context) error {
	_, err := p.r.tasks.CloseIO(ctx, &tasks.CloseIORequest{ContainerID: p.cid, ExecID: p.id, Stdin: true})
	return ignoreNoTask(native(err))
}

// discard ends the program, if it runs, and takes away what was made for it,
// also when ctx is over.
func (p *execProcess) discard(ctx context.Context) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	err := p.r.insist(ctx, func() error { return p.remove(ctx) })
	p.io.Cancel()
	if closeErr := p.io.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("its FIFOs: %w", closeErr)
	}
	return err
}

func (p *execProcess) remove(ctx context.Context) error {
	err := p.kill(ctx, sigKill)
	if err == nil || noTask(err) && p.runs(ctx) {
		_, err = p.r.taskEnd(ctx, p.cid, p.id)
	}
	if err = ignoreNoTask(err); err != nil {
		return err
	}
	_, err = p.r.tasks.DeleteProcess(ctx, &tasks.DeleteProcessRequest{ContainerID: p.cid, ExecID: p.id})
	return ignoreNotFound(native(err))
}

// runs tells whether the shim takes the program for running; that its process is
// gone it may not have noticed yet.
func (p *execProcess) runs(ctx context.Context) bool {
	got, err := p.r.tasks.Get(ctx, &tasks.GetRequest{ContainerID: p.cid, ExecID: p.id})
	return err == nil && got.Process.Status == tasktypes.Status_RUNNING
}

// ended is the answer to a call on a program that has.
func ended(err error) error {
	if errdefs.IsNotFound(err) {
		return fmt.Errorf("exec: the program has ended: %w", errdefs.ErrFailedPrecondition)
	}
	return err
}
