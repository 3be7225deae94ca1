package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/supervise"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// supervisor sees a container that was started to its end. It gathers what
// happens, and performs what package supervise decides. It belongs to the
// attempt's goroutine.
type supervisor struct {
	w      *Worker
	at     *active
	id     runtime.ContainerID
	plan   supervise.Plan
	state  supervise.State
	result *messages.Result // what there is to say of the container

	ends    chan end
	checks  chan supervise.Checked
	watches int                // begun; what an earlier one has seen does not count
	unwatch context.CancelFunc // ends the last

	exit    *runtime.WaitOutcome // of the last run, if this worker has seen it
	over    bool
	failure *messages.Error // why it is over, if not by the container's exit
}

// end is how a run ended, or why that cannot be told.
type end struct {
	watch int
	out   runtime.WaitOutcome
	err   error
}

func (w *Worker) supervisor(at *active, id runtime.ContainerID) *supervisor {
	state := supervise.Resume(at.Supervision)
	return &supervisor{
		w: w, at: at, id: id, plan: supervise.For(&at.Job), state: state, over: state.Over, failure: state.Failure,
		result: &messages.Result{Container: id.String()},
		ends:   make(chan end), checks: make(chan supervise.Checked), unwatch: func() {},
	}
}

// run returns when the container has ended for good, and how, or the attempt is
// given up.
func (s *supervisor) run(ctx context.Context) (runtime.WaitOutcome, error) {
	if s.state.Said {
		close(s.at.running)
	}
	within := ctx
	if limit := s.at.Job.Timeout.Std(); limit > 0 && !s.plan.Service {
		var cancel context.CancelFunc
		within, cancel = context.WithDeadlineCause(ctx, s.at.Started.Add(limit), errRunLonger)
		defer cancel()
	}
	err := s.loop(within)
	s.unwatch()
	switch {
	case err != nil && ctx.Err() == nil && errors.Is(context.Cause(within), errRunLonger):
		out, err := s.stop(ctx)
		out.Reason = messages.ExitTimeout
		if err != nil {
			err = fmt.Errorf("stop %s, which ran longer than %s: %w", s.id, s.at.Job.Timeout, err)
		}
		return out, err
	case err != nil:
		return runtime.WaitOutcome{}, err
	case s.failure != nil:
		if _, err := s.stop(ctx); err != nil {
			return runtime.WaitOutcome{}, err
		}
		return runtime.WaitOutcome{}, s.failure
	case s.exit != nil:
		return *s.exit, nil
	}
	return s.ended(ctx) // while the worker before this one was there
}

// loop takes in what happens until the attempt is over, or ctx is.
func (s *supervisor) loop(ctx context.Context) error {
	if s.over {
		return nil // so the worker before this one has found
	}
	if err := s.look(ctx); err != nil {
		return err
	}
	for !s.over {
		if err := s.next(ctx); err != nil {
			return err
		}
	}
	return nil
}

// next takes in the next thing that happens.
func (s *supervisor) next(ctx context.Context) error {
	var tick <-chan time.Time
	if at := supervise.Wake(s.plan, s.state); !at.IsZero() {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		tick = timer.C
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-tick:
		return s.take(ctx, supervise.Tick{})
	case e := <-s.ends:
		return s.hasEnded(ctx, e)
	case c := <-s.checks:
		return s.take(ctx, c)
	case q := <-s.at.asks:
		waiting := s.state.Waiting()
		err := s.take(ctx, q.event)
		if _, letGo := q.event.(supervise.LetGo); letGo && err == nil && !s.over {
			err = s.look(ctx)
		}
		q.taken <- waiting
		return err
	}
}

// take takes an event in: what has changed is journaled before anything is done
// about it.
func (s *supervisor) take(ctx context.Context, ev supervise.Event) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	before := s.state
	var todo []supervise.Do
	s.state, todo = supervise.Next(s.plan, s.state, ev, time.Now())
	s.at.setView(s.state)
	s.at.Supervision = s.state.Record
	if before.Differs(&s.state.Record) {
		if err := s.keep(todo); err != nil {
			return err
		}
	}
	for _, do := range todo {
		if err := s.perform(ctx, do); err != nil {
			return err
		}
	}
	return nil
}

// keep journals how things stand, with the outcome that is to be said, if there
// is one.
func (s *supervisor) keep(todo []supervise.Do) error {
	a := s.at.Attempt
	var publish []messages.Outcome
	for _, do := range todo {
		if say, ok := do.(supervise.Say); ok {
			o := s.running(say.Healthy)
			a.Last, publish = &o, append(publish, o)
		}
	}
	if !s.w.writeUntilDone(a, publish...) {
		return context.Cause(s.w.ctx)
	}
	s.at.Attempt = a
	return nil
}

func (s *supervisor) perform(ctx context.Context, do supervise.Do) error {
	switch do := do.(type) {
	case supervise.Start:
		return s.startAgain(ctx)
	case supervise.Check:
		s.check(ctx)
	case supervise.Say: // with the journal's write
		select {
		case <-s.at.running:
		default:
			close(s.at.running)
		}
	case supervise.Tell:
		s.w.tell(do.Kind, &s.at.Attempt, do.Message)
	case supervise.End:
		s.over, s.failure = true, do.Error
	}
	return nil
}

// running is the outcome that says how a service is.
func (s *supervisor) running(healthy bool) messages.Outcome {
	o := s.w.outcome(&s.at.Attempt, messages.StatusRunning)
	result := *s.result
	result.State, result.Healthy = string(runtime.PhaseRunning), &healthy
	if !s.state.Up {
		result.State = string(runtime.PhaseExited)
	}
	o.Result = &result
	return o
}
