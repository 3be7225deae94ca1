package remote

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// session is a program at the far end whose input is open.
type session struct {
	*call
	number   uint64 // the far end's
	closed   atomic.Bool
	closing  sync.Once
	closeErr error
}

var _ runtime.ExecSession = (*session)(nil)

// ExecSession begins a session, which ends with ctx.
func (r *Runtime) ExecSession(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (runtime.ExecSession, error) {
	c, err := r.open(ctx, settled, "ExecSession", id, opts)
	if err != nil {
		return nil, err
	}
	s := &session{call: c}
	if err := c.answer(&s.number); err != nil {
		c.close()
		return nil, err
	}
	return s, nil
}

// Events end with the program's exit, as the far runtime's do, or with an error.
func (s *session) Events() iter.Seq2[runtime.ExecEvent, error] {
	return func(yield func(runtime.ExecEvent, error) bool) {
		s.each(func(m *received) bool {
			event, err := itemOf(s.call, m, eventBytes)
			return yield(event, err) && err == nil && event.Exit == nil
		}, func(err error) {
			if s.closed.Load() {
				err = fmt.Errorf("the session was closed before its program's end was told: %w", context.Canceled)
			}
			yield(runtime.ExecEvent{}, err)
		})
	}
}

// Write returns when the far runtime has taken the input.
func (s *session) Write(p []byte) (int, error) {
	for done := 0; ; {
		n := 0
		piece := p[done : done+min(chunk, len(p)-done)]
		err := s.tell(s.ctx, "Session.Write", piece, &n)
		done += n
		if err != nil || done == len(p) {
			return done, err
		}
	}
}

func (s *session) CloseWrite() error { return s.tell(s.ctx, "Session.CloseWrite", nil, nil) }

func (s *session) Resize(ctx context.Context, rows, cols uint16) error {
	return s.tell(ctx, "Session.Resize", nil, nil, rows, cols)
}

func (s *session) Signal(ctx context.Context, signal string) error {
	return s.tell(ctx, "Session.Signal", nil, nil, signal)
}

// Close closes the far session. That it could not be reached is no error: it has
// ended with the pipe.
func (s *session) Close() error {
	s.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), settleWithin)
		defer cancel()
		s.closed.Store(true)
		defer s.end()
		c, err := s.link.open(ctx, cut, "Session.Close", nil, s.number)
		if err != nil {
			return
		}
		defer c.close()
		if m, err := c.receive(); err == nil {
			s.closeErr = c.read(m, nil)
		}
	})
	return s.closeErr
}

// tell makes a call about the session.
func (s *session) tell(ctx context.Context, op string, data []byte, value any, args ...any) error {
	c, err := s.link.open(ctx, cut, op, data, append([]any{s.number}, args...)...)
	if err != nil {
		return err
	}
	defer c.close()
	return c.answer(value)
}
