package runtimetest

import (
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

const restartCase = "a_restart_finds_its_containers_again"

func restartCases() []testCase {
	return []testCase{{
		name:   restartCase,
		covers: []string{"List", "State", "Inspect", "Logs", "WaitOutcome", "Stop", "Remove"},
		alone:  true,
		run:    restart,
	}}
}

func restart(s *scene) {
	pending := s.created("exit", "30")
	running := s.started("sh", "-c", "echo running; sleep 3600")
	ended := s.ended("sh", "-c", "echo ended; exit 31")
	meanwhile := s.started("sh", "-c", "echo before; sleep 0.2; echo after; exit 32")
	s.until("it runs", func() bool {
		return s.output(running, runtime.Stdout, runtime.LogOptions{Tail: -1}) == "running\n"
	})

	s.rt = s.cfg.Restart(s.T, s.rt)

	for _, id := range []runtime.ContainerID{pending, running, ended, meanwhile} {
		container, ok := s.listed(id)
		if want := (runtime.Owner{Job: "job-" + id.Service, Attempt: 7}); !ok || container.Owner != want {
			s.Errorf("%s is listed (%v) with the owner %+v, want %+v", id, ok, container.Owner, want)
		}
	}
	s.wantState(pending, runtime.PhasePending, 0)
	s.wantState(running, runtime.PhaseRunning, 0)
	s.wantState(ended, runtime.PhaseExited, 31)
	if got := s.output(running, runtime.Stdout, runtime.LogOptions{Tail: -1}); got != "running\n" {
		s.Errorf("output of the running is %q", got)
	}
	if got := s.wait(meanwhile); got.ExitCode != 32 || got.Reason != messages.ExitExited {
		s.Errorf("outcome of what ended meanwhile is %+v, want 32, exited", got)
	}
	if got := s.output(meanwhile, runtime.Stdout, runtime.LogOptions{Tail: -1, Follow: true}); got != "before\nafter\n" {
		s.Errorf("output of what ended meanwhile is %q", got)
	}
	s.wantCode("create of an id that was there before", s.make(running, s.spec("true")), messages.CodeAlreadyExists)
	s.must(s.rt.Start(s.ctx, pending))
	if got := s.wait(pending).ExitCode; got != 30 {
		s.Errorf("the pending one exited with %d, want 30", got)
	}
	s.must(s.rt.Stop(s.ctx, running, -1))
	s.wantState(running, runtime.PhaseExited, 143)
	s.must(s.rt.Remove(s.ctx, running, runtime.RemoveOptions{}))
}
