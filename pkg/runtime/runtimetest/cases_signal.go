package runtimetest

import (
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func signalCases() []testCase {
	covers := []string{"Kill"}
	return []testCase{
		{name: "kill_term", covers: covers, run: func(s *scene) { s.killedBy("TERM", 15) }},
		{name: "kill_sigterm", covers: covers, run: func(s *scene) { s.killedBy("SIGTERM", 15) }},
		{name: "kill_lower_case", covers: covers, run: func(s *scene) { s.killedBy("sigint", 2) }},
		{name: "kill_without_a_signal_is_kill", covers: covers, run: func(s *scene) { s.killedBy("", 9) }},
		{name: "kill_with_an_unknown_signal_is_invalid_argument", covers: covers, run: func(s *scene) {
			id := s.lasting()
			for _, signal := range []string{"NOPE", "SIG", "0", "65", "-9", "TERM "} {
				s.wantCode("kill "+signal, s.rt.Kill(s.ctx, id, signal), messages.CodeInvalidArgument)
			}
			s.wantState(id, runtime.PhaseRunning, 0)
		}},
		{name: "kill_with_an_ignored_signal_changes_nothing", covers: covers, run: func(s *scene) {
			id := s.lasting()
			s.must(s.rt.Kill(s.ctx, id, "WINCH"))
			s.wantState(id, runtime.PhaseRunning, 0)
		}},
		{name: "kill_of_what_does_not_run_is_failed_precondition", covers: covers, run: func(s *scene) {
			s.wantCode("kill of a created container", s.rt.Kill(s.ctx, s.created("true"), "TERM"), messages.CodeFailedPrecondition)
			s.wantCode("kill of an ended container", s.rt.Kill(s.ctx, s.ended("true"), "TERM"), messages.CodeFailedPrecondition)
		}},
	}
}

// killedBy asserts how an exit by a signal is told: 128 plus its number.
func (s *scene) killedBy(signal string, number int) {
	id := s.listening()
	s.must(s.rt.Kill(s.ctx, id, signal))
	outcome := s.wait(id)
	if outcome.ExitCode != 128+number || outcome.Reason != messages.ExitSignal || outcome.Signal != number {
		s.Errorf("outcome of kill %q is %+v, want exit code %d, reason signal, signal %d", signal, outcome, 128+number, number)
	}
	s.wantState(id, runtime.PhaseExited, 128+number)
}
