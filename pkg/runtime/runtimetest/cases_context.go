package runtimetest

import (
	"context"
	"errors"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func contextCases() []testCase {
	return []testCase{
		{name: "a_cancelled_context_ends_every_operation", covers: []string{"Create", "State"}, run: cancelledBefore},
		{name: "a_cancelled_create_leaves_nothing", covers: []string{"Create", "State"}, run: cancelledCreate},
		{name: "cancel_ends_wait", covers: []string{"Wait"}, run: func(s *scene) {
			s.cancelledWhile(func(ctx context.Context, id runtime.ContainerID) error {
				_, err := s.rt.Wait(ctx, id)
				return err
			})
		}},
		{name: "cancel_ends_wait_outcome", covers: []string{"WaitOutcome"}, run: func(s *scene) {
			for _, condition := range []messages.WaitCondition{messages.WaitNotRunning, messages.WaitNextExit, messages.WaitRemoved} {
				s.cancelledWhile(func(ctx context.Context, id runtime.ContainerID) error {
					_, err := s.rt.WaitOutcome(ctx, id, condition)
					return err
				})
			}
		}},
		{name: "cancel_ends_follow", covers: []string{"Logs"}, run: func(s *scene) {
			s.cancelledWhile(func(ctx context.Context, id runtime.ContainerID) error {
				return lastOf(s.rt.Logs(ctx, id, runtime.LogOptions{Tail: -1, Follow: true}))
			})
		}},
		{name: "cancel_ends_exec", covers: []string{"Exec"}, run: func(s *scene) {
			s.cancelledWhile(func(ctx context.Context, id runtime.ContainerID) error {
				_, err := s.rt.Exec(ctx, id, runtime.ExecOptions{Cmd: []string{"sleep", "3600"}})
				return err
			})
		}},
		{name: "cancel_ends_exec_stream", covers: []string{"ExecStream"}, run: func(s *scene) {
			s.cancelledWhile(func(ctx context.Context, id runtime.ContainerID) error {
				return lastOf(s.rt.ExecStream(ctx, id, runtime.ExecOptions{Cmd: []string{"sleep", "3600"}}))
			})
		}},
		{name: "cancel_ends_probe", covers: []string{"Probe"}, run: func(s *scene) {
			s.cancelledWhile(func(ctx context.Context, id runtime.ContainerID) error {
				_, err := s.rt.Probe(ctx, id, messages.Health{Command: []string{"sleep", "3600"}, Timeout: messages.Duration(time.Hour)})
				return err
			})
		}},
		{name: "cancel_ends_stats_stream", covers: []string{"StatsStream"}, run: func(s *scene) {
			s.cancelledWhile(func(ctx context.Context, id runtime.ContainerID) error {
				return lastOf(s.rt.StatsStream(ctx, id, time.Hour))
			})
		}},
		{name: "cancel_ends_stop_before_the_timeout", covers: []string{"Stop"}, run: func(s *scene) {
			id := s.deaf(time.Hour)
			s.cancelledOn(id, func(ctx context.Context, id runtime.ContainerID) error { return s.rt.Stop(ctx, id, -1) })
			s.wantRunning(id)
			s.must(s.rt.Stop(s.ctx, id, 0))
		}},
	}
}

// cancelledBefore calls every operation with a context that is over, and
// asserts that it neither answers nor does anything.
func cancelledBefore(s *scene) {
	id := s.lasting()
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	for _, c := range calls() {
		on := s.subject(id)
		if c.op == "Create" {
			on.id = s.id()
		}
		if s.lacks(c.op) {
			continue
		}
		if err := c.do(ctx, s.rt, on); !errors.Is(err, context.Canceled) {
			s.Errorf("%s with a cancelled context: %v, want an error that wraps context.Canceled", c.op, err)
		}
	}
	s.wantState(id, runtime.PhaseRunning, 0)
}

func cancelledCreate(s *scene) {
	spec := s.spec("true")
	for _, after := range []time.Duration{0, 100 * time.Microsecond, time.Millisecond, 5 * time.Millisecond} {
		id := s.id()
		ctx, cancel := context.WithTimeout(s.ctx, after)
		err := s.rt.Create(ctx, id, spec, runtime.CreateOptions{Platform: s.cfg.Platform})
		cancel()
		if err == nil {
			continue // it was faster, and then it is all there
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("create cut off after %v: %v, want an error that wraps context.DeadlineExceeded", after, err)
		}
		if _, err := s.rt.State(s.ctx, id); err == nil {
			s.Errorf("create cut off after %v left a container", after)
		}
		s.must(s.make(id, spec)) // nothing half made is in the way
	}
}

// cancelledWhile cancels a call that would go on for an hour.
func (s *scene) cancelledWhile(do func(context.Context, runtime.ContainerID) error) {
	s.Helper()
	id := s.lasting()
	s.cancelledOn(id, do)
	s.wantRunning(id)
}

func (s *scene) cancelledOn(id runtime.ContainerID, do func(context.Context, runtime.ContainerID) error) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Millisecond)
	defer cancel()
	if err := do(ctx, id); !errors.Is(err, context.DeadlineExceeded) || s.ctx.Err() != nil {
		s.Errorf("the call returned %v, want an error that wraps context.DeadlineExceeded, and soon", err)
	}
}

// wantRunning asserts that the container's program still runs.
func (s *scene) wantRunning(id runtime.ContainerID) {
	s.Helper()
	if got := s.state(id).Phase; got != runtime.PhaseRunning && got != runtime.PhaseStopping {
		s.Errorf("the container is %s, want it to run still", got)
	}
}
