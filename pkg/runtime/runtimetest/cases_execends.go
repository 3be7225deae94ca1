package runtimetest

import (
	"context"
	"errors"
	"iter"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// An ending is how the events of a program ended.
type ending struct {
	exit int
	err  error
}

// readToEnd reads events and asserts that they have exactly one end: an exit, or
// an error, and nothing after it.
func (s *scene) readToEnd(events iter.Seq2[runtime.ExecEvent, error], each func(runtime.ExecEvent)) ending {
	s.Helper()
	var ends []ending
	for event, err := range events {
		if len(ends) > 0 {
			s.Errorf("after its end the stream gave %+v, %v", event, err)
		}
		switch {
		case err != nil:
			ends = append(ends, ending{err: err})
		case event.Exit != nil:
			ends = append(ends, ending{exit: *event.Exit})
		default:
			each(event)
		}
	}
	if len(ends) != 1 {
		s.Fatalf("the stream has %d ends, want exactly one: an exit or an error", len(ends))
	}
	return ends[0]
}

// execEndCases are of how a program's events end, in every way that they can.
func execEndCases() []testCase {
	run := func(script string) runtime.ExecOptions {
		return runtime.ExecOptions{Cmd: []string{"sh", "-c", script}}
	}
	lasting := run("echo up; sleep 3600")
	return []testCase{
		{name: "exec_ends_once_by_its_exit", covers: []string{"ExecStream"}, run: func(s *scene) {
			if end := s.readToEnd(s.rt.ExecStream(s.ctx, s.lasting(), run("echo a; exit 6")), ignore); end != (ending{exit: 6}) {
				s.Errorf("it ended with %+v, want exit code 6", end)
			}
		}},
		{name: "exec_ends_once_with_its_container", covers: []string{"ExecStream"}, run: func(s *scene) {
			id := s.lasting()
			end := s.readToEnd(s.rt.ExecStream(s.ctx, id, lasting), func(runtime.ExecEvent) { s.must(s.rt.Kill(s.ctx, id, "KILL")) })
			if end == (ending{}) || errors.Is(end.err, context.DeadlineExceeded) {
				s.Errorf("it ended with %+v, want an exit code above 0 or an error", end)
			}
		}},
		{name: "exec_ends_once_with_its_caller", covers: []string{"ExecStream"}, run: func(s *scene) {
			ctx, cancel := context.WithCancel(s.ctx)
			defer cancel()
			end := s.readToEnd(s.rt.ExecStream(ctx, s.lasting(), lasting), func(runtime.ExecEvent) { cancel() })
			if !errors.Is(end.err, context.Canceled) {
				s.Errorf("it ended with %+v, want an error that wraps context.Canceled", end)
			}
		}},
		{name: "exec_session_ends_once_when_closed", covers: []string{"ExecSession"}, run: func(s *scene) {
			session, err := s.rt.ExecSession(s.ctx, s.lasting(), lasting)
			s.must(err)
			end := s.readToEnd(session.Events(), func(runtime.ExecEvent) { s.must(session.Close()) })
			if end == (ending{}) {
				s.Errorf("it ended with exit code 0, want another or an error")
			}
		}},
		{name: "exec_of_a_program_that_is_not_there_is_one_error", covers: []string{"ExecStream"}, run: func(s *scene) {
			opts := runtime.ExecOptions{Cmd: []string{"/no/such/program"}}
			end := s.readToEnd(s.rt.ExecStream(s.ctx, s.lasting(), opts), ignore)
			if code := runtime.CodeOf(end.err); end.err == nil || code != messages.CodeInvalidArgument && code != messages.CodeNotImplemented {
				s.Errorf("it ended with %+v, want InvalidArgument, or NotImplemented where programs are known by name", end)
			}
		}},
	}
}

func ignore(runtime.ExecEvent) {}
