package runtimetest

import (
	"errors"
	"io"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func sessionCases() []testCase {
	covers := []string{"ExecSession"}
	return []testCase{
		{name: "exec_session_gives_output_and_exit", covers: covers, run: sessionOutput},
		{name: "exec_session_takes_a_signal", covers: covers, run: sessionSignal},
		{name: "exec_session_close_kills", covers: covers, run: sessionClose},
		{name: "exec_session_needs_a_running_container", covers: covers, run: func(s *scene) {
			_, err := s.rt.ExecSession(s.ctx, s.created("true"), runtime.ExecOptions{Cmd: []string{"true"}})
			s.wantCode("session", err, messages.CodeFailedPrecondition)
		}},
	}
}

func (s *scene) session(id runtime.ContainerID, script string) runtime.ExecSession {
	s.Helper()
	session, err := s.rt.ExecSession(s.ctx, id, runtime.ExecOptions{Cmd: []string{"sh", "-c", script}, Stdin: true})
	s.must(err)
	s.Cleanup(func() { _ = session.Close() }) // a second Close in most cases
	return session
}

func sessionOutput(s *scene) {
	session := s.session(s.lasting(), "echo hi; exit 3")
	var out strings.Builder
	exit := -1
	for event, err := range session.Events() {
		s.must(err)
		out.Write(event.Data)
		if event.Exit != nil {
			exit = *event.Exit
		}
	}
	if out.String() != "hi\n" || exit != 3 {
		s.Errorf("session gave %q and %d, want %q and 3", out.String(), exit, "hi\n")
	}
	s.must(session.Close())
	s.must(session.Close())
}

func sessionSignal(s *scene) {
	session := s.session(s.lasting(), "echo up; sleep 3600")
	_, err := session.Write([]byte("nobody reads this\n"))
	s.must(err)
	s.must(session.CloseWrite())
	exit := 0
	for event, err := range session.Events() {
		s.must(err)
		if event.Exit != nil {
			exit = *event.Exit
			continue
		}
		s.wantCode("an unknown signal", session.Signal(s.ctx, "NOPE"), messages.CodeInvalidArgument)
		s.must(session.Signal(s.ctx, "KILL"))
	}
	if exit != 137 {
		s.Errorf("a killed session exited with %d, want 137", exit)
	}
}

func sessionClose(s *scene) {
	id := s.lasting()
	session := s.session(id, "sleep 3600")
	s.must(session.Close())
	if _, err := io.WriteString(session, "x"); err == nil {
		s.Errorf("a closed session took input")
	}
	for event, err := range session.Events() {
		if err == nil && event.Exit != nil && *event.Exit == 0 {
			s.Errorf("a closed session's program exited with 0")
		}
		if errors.Is(err, s.ctx.Err()) && s.ctx.Err() != nil {
			s.Fatalf("events of a closed session do not end: %v", err)
		}
	}
	s.wantState(id, runtime.PhaseRunning, 0)
}
