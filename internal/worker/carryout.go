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
	errCutOff    = errors.New("a crash cut a step that must not be repeated")
	errRunLonger = errors.New("the job ran longer than its timeout")
)

// track makes an attempt known as one that is being carried out.
func (w *Worker) track(a journal.Attempt) *active {
	at := &active{Attempt: a, running: make(chan struct{}), done: make(chan struct{})}
	w.attempts.add(at)
	w.changed()
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
	o := w.conclude(at, result, err)
	w.tidy(&at.Attempt)
	w.attempts.drop(at)
	w.changed()
	close(at.done)
	w.log.Info("ended a job", "job", at.Job.ID, "attempt", at.Job.Attempt, "status", o.Status, "reason", reason(&o))
}

// conclude journals the attempt's last outcome. It does not give up: an outcome
// that is owed must not be lost to a disk that is full for a while.
func (w *Worker) conclude(at *active, result *messages.Result, err error) messages.Outcome {
	o := w.outcome(&at.Attempt, messages.StatusCompleted)
	o.Result = result
	if result != nil && result.FinishedAt.IsZero() {
		result.FinishedAt = o.At
	}
	w.judge(&o, err)
	a := at.Attempt
	a.Phase, a.Ended, a.Last = journal.PhaseEnded, o.At, &o
	w.writeUntilDone(a, o)
	at.Attempt = a
	return o
}

// judge gives an outcome its status.
func (w *Worker) judge(o *messages.Outcome, err error) {
	verdict, routed := errors.AsType[*runtime.RouteToPeerError](err)
	switch {
	case routed:
		o.Status, o.Route, o.Result = messages.StatusRouteToPeer, w.routeToPeer(verdict), nil
	case errors.Is(err, errRevoked):
		o.Status, o.Error = messages.StatusRevoked, nil
	case errors.Is(err, errCutOff):
		o.Status = messages.StatusInterrupted
		o.Error = &messages.Error{Code: messages.CodeAborted, Message: messages.TruncateReason(err.Error())}
	case err != nil:
		o.Status, o.Error = messages.StatusFailed, runtime.ToWire(err)
	case o.Op == messages.OpRun && !endedWell(o.Result):
		o.Status = messages.StatusFailed
	}
}

// endedWell tells whether a container ended by itself and with success.
func endedWell(r *messages.Result) bool {
	return r != nil && r.ExitCode != nil && *r.ExitCode == 0 && r.ExitReason == messages.ExitExited
}

// writeUntilDone writes to the journal, again and again if it must.
func (w *Worker) writeUntilDone(a journal.Attempt, publish ...messages.Outcome) {
	_, err := backoff.Retry(w.ctx, func() (struct{}, error) {
		return struct{}{}, w.cfg.Journal.Write(a, publish...)
	}, backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, d time.Duration) {
		w.log.Error("the journal cannot be written", "attempt", a.Key().String(), "error", err, "again_in", d)
	}))
	if err != nil {
		w.log.Error("stopping with an outcome unwritten; the next worker finds it out anew", "attempt", a.Key().String(), "error", err)
		return
	}
	w.queued()
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

// say journals and publishes an outcome that is not the last.
func (w *Worker) say(at *active, o messages.Outcome) {
	a := at.Attempt
	a.Last = &o
	w.writeUntilDone(a, o)
	at.Attempt = a
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

// revoke stops, removes and fences every attempt of a job up to the one named,
// and remembers that, so that a late command for one of them is refused even if
// the job was never heard of.
func (w *Worker) revoke(ctx context.Context, job messages.Job) (messages.Outcome, error) {
	upTo := job.Args.Attempt
	stopped := false
	for _, at := range w.attempts.ofJob(job.ID, upTo) {
		at.giveUp(errRevoked)
		select {
		case <-at.done:
			stopped = true
		case <-ctx.Done():
			return messages.Outcome{}, unavailable(ctx.Err())
		}
	}
	a := journal.Attempt{Job: job, Phase: journal.PhaseEnded, Accepted: time.Now(), Ended: time.Now()}
	a.Job.Attempt = upTo
	if before, err := w.cfg.Journal.Attempt(job.ID, upTo); err == nil {
		a.Last, a.Fingerprint, a.Direct = before.Last, before.Fingerprint, before.Direct
	} else if !errors.Is(err, journal.ErrNotFound) {
		return messages.Outcome{}, unavailable(err)
	}
	o := w.outcome(&a, messages.StatusRevoked)
	o.Result = &messages.Result{Stopped: &stopped}
	a.Last = &o
	if err := w.cfg.Journal.Write(a, o); err != nil {
		return messages.Outcome{}, unavailable(err)
	}
	w.queued()
	w.tell(messages.EventRevoked, &a, fmt.Sprintf("every attempt up to %d", upTo))
	return o, nil
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
