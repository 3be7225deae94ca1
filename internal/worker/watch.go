package worker

import (
	"context"
	"fmt"

	"github.com/shunt-fleet/shunt/internal/worker/supervise"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// inspect asks for the container until there is an answer: a runtime that is away
// says nothing of what runs.
func (s *supervisor) inspect(ctx context.Context) (runtime.Details, error) {
	return persistFor(ctx, s.w, 0, "look for container "+s.id.String(), func() (runtime.Details, error) {
		return s.w.cfg.Runtime.Inspect(ctx, s.id)
	})
}

// look finds out which run of the container is there, and watches it.
func (s *supervisor) look(ctx context.Context) error {
	d, err := s.inspect(ctx)
	if err != nil {
		return err
	}
	if s.waitsYet(&d) {
		return nil
	}
	s.result = &messages.Result{
		Container: s.id.String(), Runtime: d.Runtime, StartedAt: d.StartedAt, ImageDigest: d.ImageDigest,
		Ports: d.Ports, IP: d.IP, Restarts: s.state.Restarts,
	}
	if err := s.take(ctx, supervise.Runs{Began: d.StartedAt, Gone: d.State.Phase.Ended()}); err != nil {
		return err
	}
	s.watch(ctx)
	return nil
}

// waitsYet tells whether the container has not been started again since its end
// was dealt with.
func (s *supervisor) waitsYet(d *runtime.Details) bool {
	return s.state.Waiting() && d.State.Phase.Ended() && s.state.SameRun(d.StartedAt, d.FinishedAt)
}

// watch waits for the end of the run that is there.
func (s *supervisor) watch(ctx context.Context) {
	s.unwatch()
	ctx, s.unwatch = context.WithCancel(ctx)
	s.watches++
	watch := s.watches
	s.w.work.Go(func() {
		out, err := s.ended(ctx)
		select {
		case s.ends <- end{watch, out, err}:
		case <-ctx.Done():
		}
	})
}

// ended waits until the container does not run, and is how it ended.
func (s *supervisor) ended(ctx context.Context) (runtime.WaitOutcome, error) {
	return persistFor(ctx, s.w, 0, "wait for container "+s.id.String(), func() (runtime.WaitOutcome, error) {
		return s.w.cfg.Runtime.WaitOutcome(ctx, s.id, messages.WaitNotRunning)
	})
}

// hasEnded takes in how a run ended. Where another one may follow, it is noted
// with the time that the runtime will show a later worker.
func (s *supervisor) hasEnded(ctx context.Context, e end) error {
	if e.watch != s.watches {
		return nil // the container was stopped and started since
	}
	if e.err != nil {
		return e.err
	}
	if s.w.leases.stopped(s.at) {
		return errLeaseOver
	}
	ev := supervise.Ended{Began: s.state.Began, Finished: e.out.FinishedAt, Code: e.out.ExitCode, Reason: e.out.Reason}
	if s.plan.Restarts() {
		d, err := s.inspect(ctx)
		if err != nil {
			return err
		}
		ev.Finished = d.FinishedAt
	}
	s.exit = &e.out
	return s.take(ctx, ev)
}

// startAgain starts the container, unless that has been done: by a worker before
// this one, or by a runtime that went away over it.
func (s *supervisor) startAgain(ctx context.Context) error {
	_, err := persistFor(ctx, s.w, 0, "start container "+s.id.String()+" again", func() (struct{}, error) {
		d, err := s.w.cfg.Runtime.Inspect(ctx, s.id)
		if err != nil || !s.waitsYet(&d) {
			return struct{}{}, err
		}
		if underLease(&s.at.Job) {
			// The machine may have slept meanwhile.
			if s.w.leases.endDueNow(); ctx.Err() != nil {
				return struct{}{}, context.Cause(ctx)
			}
		}
		return struct{}{}, s.w.cfg.Runtime.Start(ctx, s.id)
	})
	if err != nil {
		return fmt.Errorf("start %s again: %w", s.id, err)
	}
	return s.look(ctx)
}

// check makes the health check, beside everything else.
func (s *supervisor) check(ctx context.Context) {
	began := s.state.Began
	s.w.work.Go(func() {
		v, err := s.w.cfg.Runtime.Probe(ctx, s.id, *s.plan.Check)
		if err != nil && ctx.Err() == nil {
			s.w.log.Debug("a health check could not be made", "container", s.id.String(), "error", err)
		}
		select {
		case s.checks <- supervise.Checked{Began: began, Healthy: v.Healthy, Output: v.Output, Void: err != nil}:
		case <-ctx.Done():
		}
	})
}

// stop ends the container, however long that takes, and tells how it ended.
func (s *supervisor) stop(ctx context.Context) (runtime.WaitOutcome, error) {
	_, err := persistFor(ctx, s.w, 0, "stop container "+s.id.String(), func() (struct{}, error) {
		return struct{}{}, s.w.cfg.Runtime.Stop(ctx, s.id, s.at.grace())
	})
	if err != nil {
		return runtime.WaitOutcome{}, err
	}
	out, err := s.ended(ctx)
	if err == nil && s.state.Up {
		s.w.tell(messages.EventExited, &s.at.Attempt, fmt.Sprintf("exit code %d (%s)", out.ExitCode, out.Reason))
	}
	return out, err
}
