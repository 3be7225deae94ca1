package containerd

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// outputGrace is how long output is waited for after a program's end, when a
// child that it left behind still holds it open.
const outputGrace = 2 * time.Second

// session is a program in a container. Its output goes through FIFOs to this
// process, so it ends with it.
type session struct {
	ctx     context.Context // the caller's, ended by Close
	cancel  context.CancelFunc
	process client.Process
	exited  <-chan client.ExitStatus
	events  chan runtime.ExecEvent

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
	container, err := r.client.LoadContainer(ctx, containerID(id))
	if err != nil {
		return nil, native(err)
	}
	task, err := container.Task(ctx, nil)
	if errdefs.IsNotFound(err) {
		return nil, fmt.Errorf("the container does not run: %w", errdefs.ErrFailedPrecondition)
	}
	if err != nil {
		return nil, native(err)
	}
	if status, err := task.Status(ctx); err != nil || status.Status != client.Running {
		return nil, orDefault(native(err), fmt.Errorf("the container does not run: %w", errdefs.ErrFailedPrecondition))
	}
	spec, err := container.Spec(ctx)
	if err != nil {
		return nil, native(err)
	}
	process, err := execProcess(spec, task, opts)
	if err != nil {
		return nil, err
	}
	s := &session{events: make(chan runtime.ExecEvent), terminal: opts.TTY}
	s.ctx, s.cancel = context.WithCancel(ctx)
	s.process, err = task.Exec(s.ctx, execPrefix+rand.Text(), process, s.streams(r.fifoDir(), opts))
	if err == nil {
		err = s.start()
	}
	if err != nil {
		s.cancel()
		return nil, programError("cmd", err)
	}
	return s, nil
}

func orDefault(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// streams connects the program's output to events, and its input to Write.
func (s *session) streams(fifoDir string, opts runtime.ExecOptions) cio.Creator {
	var stdin io.Reader
	if opts.Stdin {
		read, write := io.Pipe()
		s.stdin, stdin = write, read
	}
	out := &eventWriter{session: s, stream: runtime.Stdout}
	var errs io.Writer = &eventWriter{session: s, stream: runtime.Stderr}
	streams := []cio.Opt{cio.WithFIFODir(fifoDir)}
	if opts.TTY {
		streams, errs = append(streams, cio.WithTerminal), nil
	}
	return cio.NewCreator(append(streams, cio.WithStreams(stdin, out, errs))...)
}

// start starts the program, and frees what was made for it when that fails.
func (s *session) start() error {
	exited, err := s.process.Wait(s.ctx)
	if err == nil {
		err = s.process.Start(s.ctx)
	}
	if err != nil {
		ctx, cancel := cleanup(s.ctx)
		defer cancel()
		_, _ = s.process.Delete(ctx) // what counts is why it did not start
		return err
	}
	s.exited = exited
	go s.pump()
	return nil
}

// pump ends the events when the program has ended and its output was read.
func (s *session) pump() {
	defer close(s.events)
	var status client.ExitStatus
	select {
	case status = <-s.exited:
	case <-s.ctx.Done():
		return
	}
	flushed := make(chan struct{})
	go func() { s.process.IO().Wait(); close(flushed) }()
	grace := time.NewTimer(outputGrace)
	defer grace.Stop()
	select {
	case <-flushed:
	case <-grace.C:
	case <-s.ctx.Done():
		return
	}
	code := int(status.ExitCode())
	_ = s.send(runtime.ExecEvent{Exit: &code}) // nobody reads it any more: nothing to do
}

func (s *session) send(e runtime.ExecEvent) error {
	select {
	case s.events <- e:
		return nil
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
			case e, ok := <-s.events:
				if !ok {
					yield(runtime.ExecEvent{}, fmt.Errorf("exec: it was ended before its program: %w", context.Cause(s.ctx)))
					return
				}
				if !yield(e, nil) || e.Exit != nil {
					return
				}
			case <-s.ctx.Done():
				yield(runtime.ExecEvent{}, context.Cause(s.ctx))
				return
			}
		}
	}
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
	err := s.process.CloseIO(s.ctx, client.WithStdinCloser)
	return ignoreNoTask(native(err))
}

// Resize sets the terminal's size.
func (s *session) Resize(ctx context.Context, rows, cols uint16) error {
	return native(s.process.Resize(ctx, uint32(cols), uint32(rows)))
}

// Signal sends a signal to the program.
func (s *session) Signal(ctx context.Context, signal string) error {
	n, ok := messages.ParseSignal(signal)
	if !ok {
		return fmt.Errorf("signal: %q is not known; want a name such as KILL, TERM, INT, HUP, USR1 or USR2: %w", signal, errdefs.ErrInvalidArgument)
	}
	err := native(s.process.Kill(ctx, unix.Signal(n)))
	if errdefs.IsNotFound(err) {
		return fmt.Errorf("exec: the program has ended: %w", errdefs.ErrFailedPrecondition)
	}
	return err
}

// Close kills the program if it still runs.
func (s *session) Close() error {
	s.closeOnce.Do(func() {
		s.cancel()
		if s.stdin != nil {
			s.stdin.Close()
		}
		ctx, cancel := cleanup(s.ctx)
		defer cancel()
		_, err := s.process.Delete(ctx, client.WithProcessKill)
		s.closeErr = ignoreNoTask(native(err))
	})
	return s.closeErr
}
