package remote

import (
	"context"
	"fmt"
	"sync"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// program is a session of the far runtime. Its events are the answer of the call
// that began it; what is done to it comes in calls of their own, so that input
// which is not read holds up no signal.
type program struct {
	runtime.ExecSession
	closed  chan struct{}
	closing sync.Once
	err     error // of its Close; read once closed is
}

func (p *program) close() error {
	p.closing.Do(func() {
		p.err = p.Close()
		close(p.closed)
	})
	<-p.closed
	return p.err
}

// execSession serves a session until it is closed, or the near end is gone.
func execSession(ctx context.Context, s *server, c *incoming) error {
	var id runtime.ContainerID
	var opts runtime.ExecOptions
	if err := c.args(&id, &opts); err != nil {
		return err
	}
	session, err := s.rt.ExecSession(ctx, id, opts)
	if err != nil {
		return c.answer(nil, err)
	}
	p := &program{ExecSession: session, closed: make(chan struct{})}
	number, leave := s.enter(p)
	defer leave()
	if err := c.answer(number, nil); err != nil {
		return err
	}
	for event, err := range p.Events() {
		if err := c.item(&event, eventBytes(&event), err); err != nil {
			return err
		}
	}
	select {
	case <-p.closed:
	case <-ctx.Done():
	}
	return nil
}

// enter makes a session known by a number. leave ends that, and the session.
func (s *server) enter(p *program) (number uint64, leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	number = s.last
	s.programs[number] = p
	return number, func() {
		if err := p.close(); err != nil {
			s.log.Warn("a program that was executed is not tidied away", "error", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.programs, number)
	}
}

// program is the session of a number.
func (s *server) program(number uint64) (*program, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.programs[number]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("the session has ended: %w", errdefs.ErrFailedPrecondition)
}

func sessionWrite(_ context.Context, s *server, c *incoming) error {
	var number uint64
	if err := c.args(&number); err != nil {
		return err
	}
	p, err := s.program(number)
	n := 0
	if err == nil {
		n, err = p.Write(c.first.Data)
	}
	return c.answer(n, err)
}

func sessionCloseWrite(_ context.Context, s *server, c *incoming) error {
	var number uint64
	if err := c.args(&number); err != nil {
		return err
	}
	p, err := s.program(number)
	if err == nil {
		err = p.CloseWrite()
	}
	return c.answer(nil, err)
}

func sessionResize(ctx context.Context, s *server, c *incoming) error {
	var number uint64
	var rows, cols uint16
	if err := c.args(&number, &rows, &cols); err != nil {
		return err
	}
	p, err := s.program(number)
	if err == nil {
		err = p.Resize(ctx, rows, cols)
	}
	return c.answer(nil, err)
}

func sessionSignal(ctx context.Context, s *server, c *incoming) error {
	var number uint64
	var signal string
	if err := c.args(&number, &signal); err != nil {
		return err
	}
	p, err := s.program(number)
	if err == nil {
		err = p.Signal(ctx, signal)
	}
	return c.answer(nil, err)
}

// sessionClose closes a session. One that has ended is closed.
func sessionClose(_ context.Context, s *server, c *incoming) error {
	var number uint64
	if err := c.args(&number); err != nil {
		return err
	}
	p, err := s.program(number)
	if err != nil {
		return c.answer(nil, nil)
	}
	return c.answer(nil, p.close())
}
