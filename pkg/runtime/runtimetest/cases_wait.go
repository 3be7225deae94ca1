package runtimetest

import (
	"sync"
	"sync/atomic"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func waitCases() []testCase {
	covers := []string{"WaitOutcome"}
	return []testCase{
		{name: "wait_answers_everyone_who_waits", covers: []string{"Wait", "WaitOutcome"}, run: waitEveryone},
		{name: "wait_of_what_has_ended_answers_at_once", covers: covers, run: func(s *scene) {
			id := s.ended("exit", "8")
			if a, b := s.wait(id), s.wait(id); a.ExitCode != 8 || a != b {
				s.Errorf("two waits tell %+v and %+v, want the same with exit code 8", a, b)
			}
		}},
		{name: "wait_of_what_never_ran_is_failed_precondition", covers: []string{"Wait", "WaitOutcome"}, run: func(s *scene) {
			id := s.created("true")
			_, err := s.rt.Wait(s.ctx, id)
			s.wantCode("wait", err, messages.CodeFailedPrecondition)
			_, err = s.rt.WaitOutcome(s.ctx, id, messages.WaitNotRunning)
			s.wantCode("wait outcome", err, messages.CodeFailedPrecondition)
		}},
		{name: "wait_next_exit_begins_before_the_start", covers: covers, run: nextExitBeforeStart},
		{name: "wait_next_exit_is_not_the_last_exit", covers: covers, run: nextExitIsNext},
		{name: "wait_removed", covers: covers, run: waitRemoved},
		{name: outOfMemoryCase, covers: []string{"WaitOutcome", "Inspect"}, run: waitOutOfMemory},
		{name: "wait_with_an_unknown_condition_is_invalid_argument", covers: covers, run: func(s *scene) {
			_, err := s.rt.WaitOutcome(s.ctx, s.lasting(), "someday")
			s.wantCode("wait", err, messages.CodeInvalidArgument)
		}},
	}
}

const outOfMemoryCase = "wait_tells_lack_of_memory_apart"

func waitOutOfMemory(s *scene) {
	id := s.id()
	spec := *s.cfg.OutOfMemory
	spec.Image = s.image()
	s.must(s.make(id, &spec))
	s.must(s.rt.Start(s.ctx, id))
	if got := s.wait(id); got.Reason != messages.ExitOOMKilled || got.ExitCode != 137 || got.Signal != 9 {
		s.Errorf("outcome is %+v, want oom_killed, 137, signal 9", got)
	}
	if details, err := s.rt.Inspect(s.ctx, id); err != nil || details.ExitReason != messages.ExitOOMKilled {
		s.Errorf("inspect gives the reason %q, %v; want oom_killed", details.ExitReason, err)
	}
}

func waitEveryone(s *scene) {
	id := s.lasting()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if code, err := s.rt.Wait(s.ctx, id); err != nil || code != 137 {
				s.Errorf("wait: %d, %v; want 137", code, err)
			}
		})
		all.Go(func() {
			outcome, err := s.rt.WaitOutcome(s.ctx, id, messages.WaitNotRunning)
			if err != nil || outcome.ExitCode != 137 || outcome.Signal != 9 {
				s.Errorf("wait outcome: %+v, %v; want 137 by signal 9", outcome, err)
			}
		})
	}
	s.must(s.rt.Kill(s.ctx, id, "KILL"))
	all.Wait()
}

// waiting asks for an outcome in the background.
func (s *scene) waiting(id runtime.ContainerID, until messages.WaitCondition) <-chan runtime.WaitOutcome {
	answer := make(chan runtime.WaitOutcome, 1)
	go func() {
		defer close(answer)
		outcome, err := s.rt.WaitOutcome(s.ctx, id, until)
		if err != nil {
			s.Errorf("wait until %s: %v", until, err)
			return
		}
		answer <- outcome
	}()
	return answer
}

func nextExitBeforeStart(s *scene) {
	// No operation tells that the waiter has begun. A container that lives
	// until it is killed gives it an exit to see however late it is.
	id := s.created("sleep", "3600")
	answer := s.waiting(id, messages.WaitNextExit)
	s.must(s.rt.Start(s.ctx, id))
	if got := s.killUntil(id, answer); got.ExitCode != 137 {
		s.Errorf("next exit is %+v, want 137", got)
	}
}

func nextExitIsNext(s *scene) {
	id := s.listening() // a signal that comes before the program listens is lost on it
	s.must(s.rt.Kill(s.ctx, id, "INT"))
	if got := s.wait(id).ExitCode; got != 130 {
		s.Fatalf("the first run exited with %d, want 130", got)
	}
	answer := s.waiting(id, messages.WaitNextExit)
	s.must(s.rt.Start(s.ctx, id))
	if got := s.killUntil(id, answer); got.ExitCode != 137 {
		s.Errorf("next exit is %+v, want 137 and not the earlier 130", got)
	}
}

// killUntil kills the container, and starts and kills it again, until a waiter
// that may have come late has its answer.
func (s *scene) killUntil(id runtime.ContainerID, answer <-chan runtime.WaitOutcome) runtime.WaitOutcome {
	s.Helper()
	var got runtime.WaitOutcome
	s.until("the waiter has its answer", func() bool {
		select {
		case got = <-answer:
			return true
		default:
		}
		if s.state(id).Phase.Ended() {
			s.must(s.rt.Start(s.ctx, id))
		}
		s.must(s.rt.Kill(s.ctx, id, "KILL"))
		s.wait(id)
		return false
	})
	return got
}

func waitRemoved(s *scene) {
	// A waiter that begins after the removal finds nothing, and rightly so. No
	// operation tells that it has begun, so it is given longer and longer.
	for head := 1; ; head *= 2 {
		id := s.ended("exit", "12")
		outcome, err := s.removedUnder(id, head)
		switch {
		case errdefs.IsNotFound(err) && s.ctx.Err() == nil:
			continue
		case err != nil:
			s.Fatalf("wait until removed: %v", err)
		case outcome.ExitCode != 12:
			s.Errorf("outcome of the removed is %+v, want exit code 12", outcome)
		}
		return
	}
}

// removedUnder removes a container under a waiter that has a head start of so
// many other calls.
func (s *scene) removedUnder(id runtime.ContainerID, head int) (outcome runtime.WaitOutcome, err error) {
	var gone atomic.Bool
	var waiter sync.WaitGroup
	waiter.Go(func() {
		outcome, err = s.rt.WaitOutcome(s.ctx, id, messages.WaitRemoved)
		if err == nil && !gone.Load() {
			s.Errorf("wait until removed answered %+v for a container that is there", outcome)
		}
	})
	for range head {
		s.state(id)
	}
	gone.Store(true)
	s.must(s.rt.Remove(s.ctx, id, runtime.RemoveOptions{}))
	waiter.Wait()
	return outcome, err
}
