//go:build linux || windows

package containerd

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// outputGrace is how long output is waited for after a program's end, when a
// child that it left behind still holds it open.
const outputGrace = 2 * time.Second

// session is a program in a container. Its output goes through FIFOs to this
// process, so it ends with it.
type session struct {
	id      runtime.ContainerID
	ctx     context.Context // the caller's, ended by Close
	cancel  context.CancelFunc
	process *execProcess
	events  chan runtime.ExecEvent // never closed: a child that was left behind may print for ever
	over    chan struct{}          // closed when there are no more of them
	failure error                  // why they ended without an exit; read once they have

	stdin     *io.PipeWriter // nil: none
	terminal  bool
	closeOnce sync.Once
	closeErr  error
}

// ExecSession starts a program. It ends when ctx does.
func (r *Runtime) ExecSession(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (runtime.ExecSession, error) {
	s, err := r.newSession(ctx, id, opts)
	if err != nil {
		return nil, fmt.Errorf("container %s: exec: %w", id, err)
	}
	return s, nil
}

func (r *Runtime) newSession(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (*session, error) {
	cid := containerID(id)
	rec, err := r.records.Get(ctx, cid)
	if err != nil {
		return nil, native(err)
	}
	task, err := r.task(ctx, cid)
	if err != nil {
		return nil, err
	}
	if task == nil || task.Status != tasktypes.Status_RUNNING {
		return nil, fmt.Errorf("the container does not run: %w", errdefs.ErrFailedPrecondition)
	}
	process, err := programFor(rec, int(task.Pid), opts)
	if err != nil {
		return nil, err
	}
	s := &session{id: id, events: make(chan runtime.ExecEvent), over: make(chan struct{}), terminal: opts.TTY}
	s.ctx, s.cancel = context.WithCancel(ctx)
	if err := s.begin(r, cid, process, s.streams(r, opts)); err != nil {
		s.cancel()
		return nil, programError("cmd", err)
	}
	return s, nil
}

// streams connects the program's output to events, and its input to Write.
func (s *session) streams(r *Runtime, opts runtime.ExecOptions) cio.Creator {
	var stdin io.Reader
	if opts.Stdin {
		read, write := io.Pipe()
		s.stdin, stdin = write, read
	}
	out := &eventWriter{session: s, stream: runtime.Stdout}
	var errs io.Writer = &eventWriter{session: s, stream: runtime.Stderr}
	if opts.TTY {
		errs = nil
	}
	return r.execStreams(stdin, out, errs, opts.TTY)
}

// begin starts the program, and leaves nothing of it when that fails, or may
// have. As in Start, the caller does not cut the calls off at once: containerd
// would go on, and start what nobody knows of.
func (s *session) begin(r *Runtime, cid string, program *specs.Process, streams cio.Creator) error {
	ctx, cancel := cleanup(s.ctx)
	defer cancel()
	process, err := r.addProcess(ctx, cid, program, streams)
	if err != nil {
		return givenUp(s.ctx, err)
	}
	err = process.start(ctx)
	if err == nil {
		err = s.ctx.Err()
	}
	if err != nil {
		s.cancel()                 // whoever writes its output waits for nobody
		_ = process.discard(s.ctx) // what counts is why it did not start
		return givenUp(s.ctx, err)
	}
	s.process = process
	go s.pump()
	return nil
}

// pump ends the events when the program has ended and its output was read.
func (s *session) pump() {
	defer close(s.over)
	code, err := s.process.wait(s.ctx)
	if err != nil {
		s.failure = err
		return
	}
	flushed := make(chan struct{})
	go func() { s.process.io.Wait(); close(flushed) }()
	grace := time.NewTimer(outputGrace)
	defer grace.Stop()
	select {
	case <-flushed:
	case <-grace.C:
	case <-s.ctx.Done():
		return
	}
	_ = s.send(runtime.ExecEvent{Exit: &code}) // nobody reads it any more: nothing to do
}

func (s *session) send(e runtime.ExecEvent) error {
	select {
	case s.events <- e:
		return nil
	case <-s.over:
		return io.ErrClosedPipe
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// eventWriter turns what is written into events.
type eventWriter struct {
	session *session
	stream  runtime.Stream
}

func (w *eventWriter) Write(p []byte) (int, error) {
	data := append([]byte(nil), p...)
	if err := w.session.send(runtime.ExecEvent{Stream: w.stream, Data: data}); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Events are the program's output, then its exit.
func (s *session) Events() iter.Seq2[runtime.ExecEvent, error] {
	return func(yield func(runtime.ExecEvent, error) bool) {
		for {
			select {
			case e := <-s.events:
				if !yield(e, nil) || e.Exit != nil {
					return
				}
			case <-s.over:
				yield(runtime.ExecEvent{}, s.whyEnded())
				return
			case <-s.ctx.Done():
				yield(runtime.ExecEvent{}, s.whyEnded())
				return
			}
		}
	}
}

// whyEnded is why the events have ended without the program's exit.
func (s *session) whyEnded() error {
	if s.ctx.Err() == nil {
		return fmt.Errorf("container %s: exec: how its program ended is not known: %w", s.id, s.failure)
	}
	return fmt.Errorf("container %s: exec: it was ended before its program: %w", s.id, context.Cause(s.ctx))
}

// Write is the program's input.
func (s *session) Write(p []byte) (int, error) {
	if s.stdin == nil {
		return 0, fmt.Errorf("exec: it was started without input: %w", errdefs.ErrFailedPrecondition)
	}
	return s.stdin.Write(p)
}

// endOfFile is what a terminal takes for the end of its input.
const endOfFile = 0x04

// CloseWrite ends the input. The shim holds the pipe open too, and is told. A
// terminal is typed its end: closing it would hang up on the program.
func (s *session) CloseWrite() error {
	if s.stdin == nil {
		return nil
	}
	if s.terminal {
		_, err := s.stdin.Write([]byte{endOfFile})
		return err
	}
	if err := s.stdin.Close(); err != nil {
		return err
	}
	return s.process.closeInput(s.ctx)
}

// Resize sets the terminal's size.
func (s *session) Resize(ctx context.Context, rows, cols uint16) error {
	return s.process.resize(ctx, rows, cols)
}

// Signal sends a signal to the program.
func (s *session) Signal(ctx context.Context, signal string) error {
	n, ok := messages.ParseSignal(signal)
	if !ok {
		return fmt.Errorf("signal: %q is not known; want a name such as KILL, TERM, INT, HUP, USR1 or USR2: %w", signal, errdefs.ErrInvalidArgument)
	}
	return ended(s.process.kill(ctx, n))
}

// Close kills the program if it still runs.
func (s *session) Close() error {
	s.closeOnce.Do(func() {
		s.cancel()
		if s.stdin != nil {
			s.stdin.Close()
		}
		s.closeErr = s.process.discard(s.ctx)
	})
	return s.closeErr
}
