package worker

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker/session"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// interactive is a program in a container whose asker sends it input, signals
// and credit. What may be done when is in its state; here it is done.
type interactive struct {
	w        *Worker
	program  runtime.ExecSession
	end      context.CancelCauseFunc
	controls chan bus.Message // resizes and signals, which take their time

	mu      sync.Mutex
	state   *session.State
	changed chan struct{} // closed at the next change of state
}

// mostControls is how many resizes and signals may wait for the runtime.
const mostControls = 16

// interact runs a session to its end: its program's, its asker's, or that of the
// asker's patience.
func (w *Worker) interact(ctx context.Context, f *frames, id runtime.ContainerID, opts runtime.ExecOptions) (bus.Header, error) {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	s := &interactive{
		w: w, end: end, controls: make(chan bus.Message, mostControls),
		state: session.New(time.Now()), changed: make(chan struct{}),
	}
	name := rand.Text()
	sub, err := w.cfg.Bus.Subscribe(w.cfg.Root.ExecSession(w.cfg.Node, name, messages.Any), s.hear)
	if err != nil {
		return nil, unavailable(err)
	}
	defer w.unhear(sub)
	if s.program, err = w.cfg.Runtime.ExecSession(ctx, id, opts); err != nil {
		return nil, err
	}
	s.begin()
	var work sync.WaitGroup
	work.Go(func() { s.watch(ctx) })
	work.Go(func() { s.write(ctx) })
	work.Go(func() { s.control(ctx) })
	code, err := s.forward(ctx, f, messages.ExecSession{Session: name})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	end(nil)
	if err := s.program.Close(); err != nil {
		w.log.Warn("a program that was executed is not tidied away", "container", id.String(), "error", err)
	}
	work.Wait()
	if err == nil && code == nil {
		err = errNoExit(id)
	}
	if err != nil {
		return nil, err
	}
	return exitHeader(*code), nil
}

// unhear stops hearing a session.
func (w *Worker) unhear(sub bus.Subscription) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), beatEvery)
	defer cancel()
	if err := sub.Stop(ctx); err != nil {
		w.log.Warn("a session is still heard", "error", err)
	}
}

// forward sends the session's name, then the program's output as far as there
// is credit for it, and gives its exit code.
func (s *interactive) forward(ctx context.Context, f *frames, first messages.ExecSession) (*int, error) {
	if err := f.json(ctx, first); err != nil {
		return nil, err
	}
	for event, err := range s.program.Events() {
		if err != nil || event.Exit != nil {
			return event.Exit, err
		}
		for data := event.Data; len(data) > 0; {
			n, err := s.spend(ctx, min(len(data), messages.MaxFrameSize))
			if err == nil {
				err = f.output(ctx, event.Stream, data[:n], nil)
			}
			if err != nil {
				return nil, err
			}
			data = data[n:]
		}
	}
	return nil, nil
}

// spend waits until some of the bytes that are ready may be sent, and is how
// many. Meanwhile the program's output is not read, and so it waits, too.
func (s *interactive) spend(ctx context.Context, ready int) (int, error) {
	for {
		now := time.Now()
		s.mu.Lock()
		n, free, changed := s.state.Spend(ready, now), s.state.FreeAt(), s.changed
		s.mu.Unlock()
		if n > 0 {
			return n, nil
		}
		var freed <-chan time.Time
		if now.Before(free) {
			freed = time.After(free.Sub(now))
		}
		select {
		case <-changed:
		case <-freed:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// watch ends the session when its asker has been silent for too long.
func (s *interactive) watch(ctx context.Context) {
	for {
		now := time.Now()
		s.mu.Lock()
		over, until, changed := s.state.Over(now), s.state.Until(), s.changed
		s.mu.Unlock()
		if over != nil {
			s.end(over)
			return
		}
		timer := time.NewTimer(until.Sub(now))
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		if timer.Stop(); ctx.Err() != nil {
			return
		}
	}
}

// write gives the program its input. A program that does not read it any more
// ends none of this: it has its exit code to tell.
func (s *interactive) write(ctx context.Context) {
	for {
		s.mu.Lock()
		piece, due := s.state.Take()
		changed := s.changed
		s.mu.Unlock()
		if !due {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return
			}
		}
		var err error
		if len(piece.Data) > 0 {
			_, err = s.program.Write(piece.Data)
		} else {
			err = s.program.CloseWrite()
		}
		s.answer(piece.Reply, err)
	}
}
