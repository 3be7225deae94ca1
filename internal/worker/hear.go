package worker

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker/session"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// The last tokens of a session's subjects.
const (
	partIn     = "in"
	partResize = "resize"
	partSignal = "signal"
	partCredit = "credit"
)

// begin says that the session's time runs from now.
func (s *interactive) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = session.New(time.Now())
}

// hear takes in what the asker sends. It waits for nothing: what comes behind
// may be the signal that ends what would be waited for. A message that asks for
// an answer gets one when it has taken effect.
func (s *interactive) hear(m bus.Message) {
	part := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	var err error
	switch part {
	case partIn:
		if err = s.put(m); err != nil {
			s.end(err) // some input is lost
		}
	case partCredit:
		var credit messages.ExecCredit
		credit, err = messages.Decode[messages.ExecCredit](m.Data)
		s.note(func(now time.Time) { s.state.Hear(now); s.state.Give(credit.Bytes) })
	case partResize, partSignal:
		s.note(s.state.Hear)
		select {
		case s.controls <- m:
		default:
			err = &messages.Error{
				Code: messages.CodeResourceExhausted, Retryable: true,
				Message: "more resizes and signals wait than are kept; send it again",
			}
		}
	default:
		err = &messages.Error{Code: messages.CodeInvalidArgument, Message: "a session hears in, resize, signal and credit"}
	}
	if err != nil || part == partCredit {
		s.answer(m.Reply, err)
	}
}

// note changes the state.
func (s *interactive) note(change func(now time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(time.Now())
	close(s.changed)
	s.changed = make(chan struct{})
}

// put takes in a piece of input.
func (s *interactive) put(m bus.Message) (err error) {
	var number uint64
	if text := m.Header[messages.HeaderSeq]; text != "" {
		if number, err = strconv.ParseUint(text, 10, 64); err != nil || number == 0 {
			return badHeader(messages.HeaderSeq, text, "is not the number of a piece of input; want 1 for the first, 2 for the next and so on")
		}
	}
	s.note(func(now time.Time) {
		s.state.Hear(now)
		err = s.state.Put(number, session.Piece{Data: m.Data, Reply: m.Reply}, now)
	})
	return err
}

// control performs resizes and signals, one after the other.
func (s *interactive) control(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-s.controls:
			s.answer(m.Reply, s.perform(ctx, m))
		}
	}
}

func (s *interactive) perform(ctx context.Context, m bus.Message) error {
	if strings.HasSuffix(m.Subject, "."+partResize) {
		r, err := messages.Decode[messages.ExecResize](m.Data)
		if err != nil {
			return err
		}
		return s.program.Resize(ctx, r.Rows, r.Cols)
	}
	sig, err := messages.Decode[messages.ExecSignal](m.Data)
	if err != nil {
		return err
	}
	return s.program.Signal(ctx, sig.Signal)
}

// answer tells the asker what became of a message, if it wants to hear that.
func (s *interactive) answer(reply string, err error) {
	if err != nil {
		s.w.log.Debug("a session's message had no effect", "error", err)
	}
	if reply == "" {
		return
	}
	m := bus.Message{Subject: reply}
	if e := runtime.ToWire(err); e != nil {
		m.Header = bus.Header{messages.HeaderErrorCode: strconv.Itoa(e.Code.HTTPStatus()), messages.HeaderError: e.Error()}
	}
	if err := s.w.cfg.Bus.Publish(context.WithoutCancel(s.w.ctx), m); err != nil {
		s.w.log.Debug("a session's message was not answered", "error", err)
	}
}
