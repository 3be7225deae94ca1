package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Causes for which an attempt is given up from outside.
var (
	errRevoked   = errors.New("the attempt was revoked")
	errCutOff    = errors.New("a step that must not be repeated was cut off")
	errRunLonger = errors.New("the job ran longer than its timeout")
)

// newActive is an attempt about to be carried out.
func newActive(a journal.Attempt) *active {
	at := &active{Attempt: a, running: make(chan struct{}), done: make(chan struct{}), asks: make(chan ask)}
	if a.Job.Op.Places() {
		id := containerID(&a.Job)
		at.makes = &id
	}
	return at
}

// carryOut does what an attempt asks for, and reports. resumed says that a
// worker before this one had begun it.
func (w *Worker) carryOut(at *active, resumed bool) {
	ctx, cancel := context.WithCancelCause(w.ctx)
	defer cancel(nil)
	at.setCancel(cancel)
	result, err := w.perform(ctx, at, resumed)
	if w.ctx.Err() != nil {
		return // the worker stops; the next one takes the attempt up
	}
	at.leaves()
	o, ok := w.conclude(at, result, err)
	if !ok {
		return // so does this
	}
	w.tidy(&at.Attempt, at.stopsSeen()...)
	w.leases.part(at.Key())
	w.attempts.drop(at, makesContainer(at, &o))
	w.roomChanged(at)
	w.drained()
	close(at.done)
	w.log.Info("ended a job", "job", at.Job.ID, "attempt", at.Job.Attempt, "status", o.Status, "reason", reason(&o))
}

// conclude journals the attempt's last outcome. It does not give up before the
// worker stops: an outcome that is owed must not be lost to a disk that is full
// for a while. ok is false when it was not written; then nothing that shows how
// the attempt ended may be removed.
func (w *Worker) conclude(at *active, result *messages.Result, err error) (_ messages.Outcome, ok bool) {
	o := w.outcome(&at.Attempt, messages.StatusCompleted)
	o.Result = result
	if result != nil && result.FinishedAt.IsZero() {
		result.FinishedAt = o.At
	}
	w.judge(&o, at.Phase != journal.PhaseAccepted, at.Supervision.Stopped && at.Job.EffectiveKind() == messages.KindService, err)
	if len(at.volumes) > 0 {
		if o.Result == nil {
			o.Result = &messages.Result{}
		}
		o.Result.Volumes = at.volumes
	}
	fit(&o)
	if err := mend(&o); err != nil {
		w.log.Error("an outcome was not one that may be told; it has been cut", "attempt", at.Key().String(), "error", err)
	}
	a := at.Attempt
	a.Phase, a.Ended, a.Last = journal.PhaseEnded, o.At, &o
	if !w.writeUntilDone(a, o) {
		return o, false
	}
	at.Attempt = a
	return o, true
}

// judge gives an outcome its status. begun says that a step which must not be
// repeated may have been taken, stopped that a service has ended because
// somebody asked for it.
func (w *Worker) judge(o *messages.Outcome, begun, stopped bool, err error) {
	verdict, routed := errors.AsType[*runtime.RouteToPeerError](err)
	switch {
	case routed:
		o.Status, o.Route, o.Result = messages.StatusRouteToPeer, w.routeToPeer(verdict), nil
	case errors.Is(err, errRevoked):
		stopped := true
		o.Status, o.Result = messages.StatusRevoked, &messages.Result{Stopped: &stopped}
	case errors.Is(err, errLeaseOver) && !begun:
		o.Status, o.Result = messages.StatusFailed, nil
		o.Error = &messages.Error{
			Code: messages.CodeUnavailable, Retryable: true, Message: "nothing was started: " + messages.TruncateReason(err.Error()),
		}
	case errors.Is(err, errCutOff), errors.Is(err, errLeaseOver):
		o.Status = messages.StatusInterrupted
		o.Error = &messages.Error{Code: messages.CodeAborted, Message: messages.TruncateReason(err.Error())}
	case err != nil:
		o.Status, o.Error = messages.StatusFailed, runtime.ToWire(err)
	case o.Op == messages.OpRun && !endedWell(o.Result) && !stopped:
		o.Status = messages.StatusFailed
	}
}

// endedWell tells whether a container ended by itself and with success.
func endedWell(r *messages.Result) bool {
	return r != nil && r.ExitCode != nil && *r.ExitCode == 0 && r.ExitReason == messages.ExitExited
}

// writeUntilDone writes to the journal, again and again if it must; it is false
// when the worker stops first.
func (w *Worker) writeUntilDone(a journal.Attempt, publish ...messages.Outcome) bool {
	_, err := backoff.Retry(w.ctx, func() (struct{}, error) {
		return struct{}{}, w.cfg.Journal.Write(a, publish...)
	}, backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, d time.Duration) {
		w.log.Error("the journal cannot be written", "attempt", a.Key().String(), "error", err, "again_in", d)
	}))
	if err != nil {
		w.log.Error("stopping with an outcome unwritten; the next worker finds it out anew", "attempt", a.Key().String(), "error", err)
		return false
	}
	w.queued()
	return true
}

// mark journals that the step which must not be repeated is about to be taken.
func (w *Worker) mark(at *active) error {
	a := at.Attempt
	a.Phase, a.Started = journal.PhaseStarting, time.Now()
	if err := w.cfg.Journal.Write(a); err != nil {
		return unavailable(err)
	}
	at.Attempt = a
	return nil
}

// persist calls f again, with growing pauses, while its error is of a kind that
// may pass, and for no longer than RetryFor.
func persist[T any](ctx context.Context, w *Worker, what string, f func() (T, error)) (T, error) {
	return persistFor(ctx, w, w.cfg.RetryFor, what, f)
}

// persistFor is persist with a limit of its own; 0 is none.
func persistFor[T any](ctx context.Context, w *Worker, limit time.Duration, what string, f func() (T, error)) (T, error) {
	return backoff.Retry(ctx, func() (T, error) {
		v, err := f()
		if err != nil && !runtime.Retryable(err) {
			return v, backoff.Permanent(err)
		}
		return v, err
	}, backoff.WithMaxElapsedTime(limit), backoff.WithNotify(func(err error, d time.Duration) {
		w.log.Warn("will try again", "what", what, "error", err, "again_in", d)
	}))
}

func reason(o *messages.Outcome) string {
	switch {
	case o.Error != nil:
		return o.Error.Error()
	case o.Route != nil:
		return o.Route.Reason
	case o.Result != nil && o.Result.ExitCode != nil:
		return fmt.Sprintf("exit code %d (%s)", *o.Result.ExitCode, o.Result.ExitReason)
	}
	return ""
}
