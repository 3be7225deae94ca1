package memory

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// session is an Exec that takes input, signals and an early end. None of the
// programs reads its input, so it is taken and goes nowhere, as into a pipe
// that is never read.
type session struct {
	*execution
	ctx    context.Context // of the ExecSession call: Events has none of its own
	mu     sync.Mutex
	closed bool // for writing
}

var _ runtime.ExecSession = (*session)(nil)

// ExecSession starts a program whose input is open. There are no terminals:
// opts.TTY is NotImplemented. When ctx ends, so do the session's events.
func (r *Runtime) ExecSession(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (runtime.ExecSession, error) {
	e, err := r.exec(ctx, id, opts)
	if err != nil {
		return nil, err
	}
	return &session{execution: e, ctx: ctx, closed: !opts.Stdin}, nil
}

func (s *session) Events() iter.Seq2[runtime.ExecEvent, error] {
	return func(yield func(runtime.ExecEvent, error) bool) { s.forward(s.ctx, yield) }
}

func (s *session) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.over() {
		return 0, fmt.Errorf("%s: input: %w", s.what, io.ErrClosedPipe)
	}
	return len(data), nil
}

func (s *session) CloseWrite() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *session) Resize(context.Context, uint16, uint16) error {
	return fmt.Errorf("%s: resize: there is no terminal: %w", s.what, errdefs.ErrFailedPrecondition)
}

func (s *session) Signal(ctx context.Context, signal string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: signal: %w", s.what, err)
	}
	number, err := parseSignal(signal)
	if err != nil {
		return fmt.Errorf("%s: %w", s.what, err)
	}
	if s.over() {
		return fmt.Errorf("%s: signal: it has ended: %w", s.what, errdefs.ErrFailedPrecondition)
	}
	s.process.raise(number)
	return nil
}

// Close kills the program. Events that were not read stay readable.
func (s *session) Close() error {
	s.process.raise(sigKill)
	return s.CloseWrite()
}

func (s *session) over() bool {
	s.r.m.mu.Lock()
	defer s.r.m.mu.Unlock()
	return s.exited
}
