package runtimetest

import (
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func probeCases() []testCase {
	return []testCase{
		{name: "probe_by_command_is_healthy_on_exit_code_0", covers: []string{"Probe"}, run: func(s *scene) {
			s.wantVerdict(s.lasting(), byCommand("echo fine"), true, "fine")
		}},
		{name: "probe_that_fails_is_a_verdict_with_what_was_said", covers: []string{"Probe"}, run: func(s *scene) {
			s.wantVerdict(s.lasting(), byCommand("echo not yet; exit 3"), false, "not yet")
		}},
		{name: "probe_keeps_the_end_of_long_output", covers: []string{"Probe"}, run: probeLong},
		{name: "probe_that_takes_too_long_has_failed", covers: []string{"Probe"}, run: probeSlow},
		{name: "probe_needs_a_running_container", covers: []string{"Probe"}, run: probeStopped},
	}
}

func byCommand(script string) messages.Health {
	return messages.Health{Command: []string{"sh", "-c", script}, Timeout: messages.Duration(patience)}
}

func (s *scene) wantVerdict(id runtime.ContainerID, check messages.Health, healthy bool, says string) runtime.Verdict {
	s.Helper()
	v, err := s.rt.Probe(s.ctx, id, check)
	s.must(err)
	if v.Healthy != healthy || !strings.Contains(v.Output, says) {
		s.Errorf("the check found %+v, want healthy %v and %q", v, healthy, says)
	}
	return v
}

func probeLong(s *scene) {
	word := strings.Repeat("x", messages.MaxCheckOutput)
	id := s.lasting()
	for script, healthy := range map[string]bool{"echo " + word + "; echo last": true, "echo " + word + "; echo last; exit 1": false} {
		if v := s.wantVerdict(id, byCommand(script), healthy, "last"); len(v.Output) > messages.MaxCheckOutput {
			s.Errorf("the check's output is %d bytes long, want at most %d", len(v.Output), messages.MaxCheckOutput)
		}
	}
}

// probeSlow checks with a program that would outlast the case; that its process
// is gone can be seen where processes can.
func probeSlow(s *scene) {
	id := s.lasting()
	check := messages.Health{Command: []string{"sleep", "3599"}, Timeout: messages.Duration(200 * time.Millisecond)}
	s.wantVerdict(id, check, false, "no answer within 200ms")
	s.wantState(id, runtime.PhaseRunning, 0)
	if len(intersect(s.cfg.Lacks, []string{"Top"})) > 0 {
		return
	}
	s.until("the program of the check is gone", func() bool {
		processes, err := s.rt.Top(s.ctx, id)
		s.must(err)
		return len(processes) == 1
	})
}

func probeStopped(s *scene) {
	for _, check := range []messages.Health{byCommand("true"), {TCP: &messages.HealthTCP{Port: 80}}, {HTTP: &messages.HealthHTTP{Port: 80}}} {
		for what, id := range map[string]runtime.ContainerID{"created": s.created("true"), "ended": s.ended("true")} {
			_, err := s.rt.Probe(s.ctx, id, check)
			s.wantCode("a check of a container that is "+what, err, messages.CodeFailedPrecondition)
		}
	}
}
