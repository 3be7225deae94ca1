package runtimetest

import (
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func stopCases() []testCase {
	covers := []string{"Stop"}
	return []testCase{
		{name: "stop_ends_by_the_stop_signal", covers: covers, run: func(s *scene) { s.stopped(time.Hour, 143) }},
		{name: "stop_with_the_grace_of_the_spec", covers: covers, run: func(s *scene) { s.stopped(-1, 143) }},
		{name: "stop_at_once", covers: covers, run: func(s *scene) { s.stopped(0, 143, 137) }},
		{name: "stop_kills_after_the_timeout", covers: covers, run: stopKills},
		{name: "stop_kills_after_the_grace_of_the_spec", covers: covers, run: stopKillsAfterGrace},
		{name: "stop_is_idempotent", covers: covers, run: stopIdempotent},
		{name: "stop_of_what_never_started_does_nothing", covers: covers, run: func(s *scene) {
			id := s.created("true")
			s.must(s.rt.Stop(s.ctx, id, 0))
			s.wantState(id, runtime.PhasePending, 0)
		}},
	}
}

// stopped asserts that a stop has ended the container when it returns.
func (s *scene) stopped(timeout time.Duration, codes ...int) {
	id := s.listening()
	s.must(s.rt.Stop(s.ctx, id, timeout))
	state := s.state(id)
	for _, code := range codes {
		if state.Phase == runtime.PhaseExited && state.ExitCode == code {
			return
		}
	}
	s.Errorf("after a stop the container is %s with exit code %d, want exited with one of %v", state.Phase, state.ExitCode, codes)
}

// deaf is a container whose stop signal does nothing: WINCH is ignored unless
// a program asks for it.
func (s *scene) deaf(grace time.Duration) runtime.ContainerID {
	s.Helper()
	id := s.id()
	spec := s.spec("sleep", "3600")
	spec.StopSignal = "WINCH"
	spec.StopGrace = messages.Duration(grace)
	s.must(s.make(id, spec))
	s.must(s.rt.Start(s.ctx, id))
	return id
}

func stopKills(s *scene) {
	id := s.deaf(time.Hour)
	s.must(s.rt.Stop(s.ctx, id, 50*time.Millisecond))
	s.wantState(id, runtime.PhaseExited, 137)
	if s.Failed() {
		return // there may be no end to wait for
	}
	if outcome := s.wait(id); outcome.Reason != messages.ExitSignal || outcome.Signal != 9 {
		s.Errorf("outcome is %+v, want reason signal, signal 9", outcome)
	}
}

func stopKillsAfterGrace(s *scene) {
	id := s.deaf(50 * time.Millisecond)
	s.must(s.rt.Stop(s.ctx, id, -1))
	s.wantState(id, runtime.PhaseExited, 137)
}

func stopIdempotent(s *scene) {
	id := s.listening()
	s.must(s.rt.Stop(s.ctx, id, time.Hour))
	s.wantState(id, runtime.PhaseExited, 143)
	if s.Failed() {
		return
	}
	before := s.wait(id)
	s.must(s.rt.Stop(s.ctx, id, time.Hour))
	s.must(s.rt.Stop(s.ctx, id, 0))
	if after := s.wait(id); after != before {
		s.Errorf("stopping again changed the outcome from %+v to %+v", before, after)
	}
}
