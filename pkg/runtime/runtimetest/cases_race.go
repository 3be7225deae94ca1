package runtimetest

import (
	"sync"
	"sync/atomic"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func raceCases() []testCase {
	return []testCase{
		{name: "of_concurrent_creates_exactly_one_wins", covers: []string{"Create"}, run: concurrentCreates},
		{name: "of_concurrent_starts_exactly_one_wins", covers: []string{"Start"}, run: concurrentStarts},
		{name: "of_concurrent_removes_exactly_one_wins", covers: []string{"Remove"}, run: concurrentRemoves},
		{name: "concurrent_stops_all_return_when_it_has_ended", covers: []string{"Stop"}, run: concurrentStops},
		{name: "a_storm_on_one_id_ends_in_order", covers: []string{"Create", "Start", "Stop", "Kill", "Remove", "State"}, run: storm},
	}
}

// together makes n calls at the same time and counts those without an error;
// the others must have the given class.
func (s *scene) together(n int, loser messages.Code, do func(i int) error) int {
	s.Helper()
	var won atomic.Int32
	var gate, all sync.WaitGroup
	gate.Add(1)
	for i := range n {
		all.Go(func() {
			gate.Wait()
			if err := do(i); err == nil {
				won.Add(1)
			} else if code := runtime.CodeOf(err); code != loser {
				s.Errorf("a loser was told %s, want %s: %v", code, loser, err)
			}
		})
	}
	gate.Done()
	all.Wait()
	return int(won.Load())
}

func concurrentCreates(s *scene) {
	id := s.id()
	spec := s.spec("exit", "11")
	if won := s.together(8, messages.CodeAlreadyExists, func(int) error { return s.make(id, spec) }); won != 1 {
		s.Errorf("%d creates won, want 1", won)
	}
	s.must(s.rt.Start(s.ctx, id))
	if got := s.wait(id).ExitCode; got != 11 {
		s.Errorf("the winner exited with %d, want 11", got)
	}
}

func concurrentStarts(s *scene) {
	id := s.created("sleep", "3600")
	if won := s.together(8, messages.CodeFailedPrecondition, func(int) error { return s.rt.Start(s.ctx, id) }); won != 1 {
		s.Errorf("%d starts won, want 1", won)
	}
	s.wantState(id, runtime.PhaseRunning, 0)
}

func concurrentRemoves(s *scene) {
	id := s.lasting()
	won := s.together(8, messages.CodeNotFound, func(int) error {
		return s.rt.Remove(s.ctx, id, runtime.RemoveOptions{Force: true})
	})
	if won != 1 {
		s.Errorf("%d removes won, want 1", won)
	}
}

func concurrentStops(s *scene) {
	id := s.listening()
	if won := s.together(6, "", func(int) error { return s.rt.Stop(s.ctx, id, -1) }); won != 6 {
		s.Errorf("%d stops of 6 succeeded", won)
	}
	s.wantState(id, runtime.PhaseExited, 143)
}

// storm lets everybody do everything, and asserts that what is left is a
// container that works, or none.
func storm(s *scene) {
	id := s.id()
	spec := s.spec("sleep", "3600")
	acts := []func() error{
		func() error { return s.make(id, spec) },
		func() error { return s.rt.Start(s.ctx, id) },
		func() error { return s.rt.Stop(s.ctx, id, 0) },
		func() error { return s.rt.Kill(s.ctx, id, "KILL") },
		func() error { return s.rt.Remove(s.ctx, id, runtime.RemoveOptions{}) },
		func() error { return s.rt.Remove(s.ctx, id, runtime.RemoveOptions{Force: true}) },
		func() error { _, err := s.rt.State(s.ctx, id); return err },
		func() error { _, err := s.rt.List(s.ctx); return err },
	}
	var all sync.WaitGroup
	for i, act := range acts {
		all.Go(func() {
			for range 6 {
				switch err := act(); {
				case err == nil, errdefs.IsNotFound(err), errdefs.IsAlreadyExists(err), errdefs.IsFailedPrecondition(err):
				default:
					s.Errorf("act %d: %v, want success or an error about the container's state", i, err)
				}
			}
		})
	}
	all.Wait()
	if err := s.rt.Remove(s.ctx, id, runtime.RemoveOptions{Force: true}); err != nil && !errdefs.IsNotFound(err) {
		s.Fatalf("remove after the storm: %v", err)
	}
	s.must(s.make(id, s.spec("exit", "21")))
	s.must(s.rt.Start(s.ctx, id))
	if got := s.wait(id).ExitCode; got != 21 {
		s.Errorf("after the storm a new container exited with %d, want 21", got)
	}
}
