package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// takeCommand takes one request on the node's command subject. It reads it before
// the next one comes, so that those about one container keep their order.
func (w *Worker) takeCommand(r bus.Request) {
	stale := w.stoodStill()
	cmd, err := w.read(r.Message())
	if err == nil {
		cmd.place = w.lines.joinFor(&cmd.job)
	}
	w.work.Go(func() { w.command(r, cmd, err, stale) })
}

// command answers a command that was read.
func (w *Worker) command(r bus.Request, cmd order, err error, stale bool) {
	switch revoke := cmd.job.Op == messages.OpRevoke; {
	case err != nil:
		w.reply(r, w.rejected(&cmd.job, r.Message().Data, err))
	case revoke && cmd.job.Attempt > 0:
		w.revokeOnce(cmd, r)
	case stale && cmd.job.Attempt > 0:
		cmd.place.leave()
		w.reply(r, w.rejected(&cmd.job, r.Message().Data, errStoodStill))
	default:
		w.reply(r, w.answer(w.ctx, cmd))
	}
}

// reply sends the answer to a command.
func (w *Worker) reply(r bus.Request, outcome messages.Outcome) {
	data, err := messages.Encode(outcome)
	switch {
	case err != nil:
	case outcome.Status == messages.StatusRejected:
		e := outcome.Error
		w.log.Info("rejected a command", "job", outcome.Job, "code", e.Code, "field", e.Field, "reason", e.Message)
		err = r.Fail(strconv.Itoa(e.Code.HTTPStatus()), e.Error(), data, nil)
	default:
		err = r.Respond(bus.Message{Data: data})
	}
	if err != nil && w.ctx.Err() == nil {
		w.log.Warn("a command was not answered", "job", outcome.Job, "error", err)
	}
}

// answer is what there is to say to a command now, or, with the header
// Shunt-Wait, once the attempt has ended.
func (w *Worker) answer(ctx context.Context, cmd order) messages.Outcome {
	outcome, err := w.accept(ctx, cmd)
	cmd.place.settle()
	if err != nil {
		return w.rejected(&cmd.job, nil, err)
	}
	if cmd.wait == 0 || outcome.Status.Ends() || w.open.enter() != nil {
		return outcome // with too many who wait as it is when the time is over
	}
	defer w.open.leave()
	return w.await(ctx, outcome, cmd.wait)
}

// order is a command as it came.
type order struct {
	job         messages.Job
	fingerprint string // "" for a placed one that does not say
	wait        time.Duration
	lease       *uint64 // where the node's lease stood when it was sent; nil: not said
	place       *place  // in the line of its container; nil: in none
}

// read decodes a command and checks that it is meant for this worker.
func (w *Worker) read(m bus.Message) (cmd order, err error) {
	if cmd.job, err = messages.Decode[messages.Job](m.Data); err != nil {
		return cmd, err
	}
	if err := cmd.job.CheckSubjectNode(w.cfg.Root.Token(m.Subject, 1)); err != nil {
		return cmd, err
	}
	if want := m.Header[messages.HeaderJournal]; want != "" && want != w.cfg.Journal.ID() {
		return cmd, &messages.Error{
			Code: messages.CodeWrongIncarnation, Retryable: true,
			Message: fmt.Sprintf("the command is for the journal %s; this worker's is %s", want, w.cfg.Journal.ID()),
		}
	}
	if text := m.Header[messages.HeaderWait]; text != "" {
		cmd.wait, err = time.ParseDuration(text)
		if err != nil {
			return cmd, badHeader(messages.HeaderWait, text, "is not a duration; want one such as 30s")
		}
		if cmd.wait < 0 || cmd.wait > longestWait {
			return cmd, badHeader(messages.HeaderWait, text, fmt.Sprintf("is not allowed; want from 0s to %s", longestWait))
		}
	}
	if text := m.Header[messages.HeaderLease]; text != "" {
		sequence, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return cmd, badHeader(messages.HeaderLease, text, "is not a sequence; want a number, 0 for no lease")
		}
		cmd.lease = &sequence
	}
	cmd.fingerprint, err = fingerprintIn(m, cmd.job.Attempt == 0)
	return cmd, err
}

// longestWait is how long a command may wait for the attempt's end. Who wants to
// wait longer asks again: the same command gets the last outcome there is.
const longestWait = time.Hour

func badHeader(name, value, what string) error {
	return &messages.Error{Code: messages.CodeInvalidArgument, Field: name, Message: fmt.Sprintf("%q %s", value, what)}
}

// accept takes a command on, refuses it, or finds that it was answered before.
// Commands about one job are taken one after the other, so a repeat that comes
// while the first is still being decided gets the same answer.
func (w *Worker) accept(ctx context.Context, cmd order) (messages.Outcome, error) {
	job, fingerprint := cmd.job, cmd.fingerprint
	unlock, err := w.attempts.lock(ctx, job.ID)
	if err != nil {
		return messages.Outcome{}, err
	}
	defer unlock()
	direct := job.Attempt == 0
	if direct {
		if job.Op == messages.OpRevoke {
			return messages.Outcome{}, &messages.Error{Code: messages.CodePermissionDenied, Field: "op", Message: `"revoke" is for placers; cancel the job instead`}
		}
		job.Attempt = 1
	}
	if job.Op == messages.OpRevoke {
		return w.revoke(ctx, job)
	}
	if before, ok, err := w.remembered(&job, fingerprint, direct); err != nil || ok {
		return before, err
	}
	if err := cmd.place.tooLate(); err != nil {
		return messages.Outcome{}, err
	}
	a := journal.Attempt{
		Job: job, Fingerprint: fingerprint, Direct: direct,
		Phase: journal.PhaseAccepted, Accepted: time.Now(),
	}
	at := newActive(a)
	at.place = cmd.place
	auth, err := w.cfg.Key.Open(&job)
	if err != nil {
		return messages.Outcome{}, err
	}
	if job.Op.Places() {
		var route *messages.RouteToPeer
		if at.decided, route = w.admit(ctx, &job, auth); route != nil {
			return w.refuse(a, route)
		}
	}
	if underLease(&job) {
		route, err := w.leases.join(ctx, at, cmd.lease)
		if route != nil {
			return w.refuse(a, route)
		}
		if err != nil {
			return messages.Outcome{}, err
		}
	}
	o, err := w.take(at)
	if err != nil || o.Status != messages.StatusAccepted {
		w.leases.part(at.Key())
	}
	return o, err
}

// remembered is the answer an attempt got before. An attempt below the newest
// one is fenced: it is over, whatever it was.
func (w *Worker) remembered(job *messages.Job, fingerprint string, direct bool) (messages.Outcome, bool, error) {
	newest, err := w.cfg.Journal.Attempt(job.ID, 0)
	if errors.Is(err, journal.ErrNotFound) {
		return messages.Outcome{}, false, nil
	}
	if err != nil {
		return messages.Outcome{}, false, unavailable(err)
	}
	if direct {
		if err := sameJob(&newest, fingerprint); err != nil {
			return messages.Outcome{}, false, err
		}
		job.Attempt = newest.Job.Attempt
	}
	switch {
	case job.Attempt > newest.Job.Attempt:
		return messages.Outcome{}, false, w.settled(&newest)
	case job.Attempt < newest.Job.Attempt:
		return messages.Outcome{}, false, &messages.Error{
			Code:    messages.CodeAborted,
			Message: fmt.Sprintf("attempt %d is fenced: this node has seen attempt %d", job.Attempt, newest.Job.Attempt),
		}
	}
	if newest.Phase == journal.PhaseAccepted && w.attempts.get(newest.Key()) == nil {
		return messages.Outcome{}, false, nil // the journal failed when it was taken, and has it all the same
	}
	return *newest.Last, true, nil
}

// settled refuses a new attempt while an older one is still at work here.
func (w *Worker) settled(older *journal.Attempt) error {
	if w.attempts.get(older.Key()) == nil {
		return nil
	}
	return &messages.Error{
		Code: messages.CodeUnavailable, Retryable: true,
		Message: fmt.Sprintf("attempt %d of the job is still at work on this node", older.Job.Attempt),
	}
}

// refuse journals and publishes a refusal, and is it.
func (w *Worker) refuse(a journal.Attempt, route *messages.RouteToPeer) (messages.Outcome, error) {
	o := w.outcome(&a, messages.StatusRouteToPeer)
	o.Route = route
	a.Phase, a.Ended, a.Last = journal.PhaseEnded, o.At, &o
	if err := w.cfg.Journal.Write(a, o); err != nil {
		return messages.Outcome{}, unavailable(err)
	}
	w.queued()
	w.log.Info("refused a job", "job", a.Job.ID, "attempt", a.Job.Attempt, "code", route.Code, "reason", route.Reason)
	w.tell(messages.EventRefused, &a, route.Reason)
	return o, nil
}

// take takes the room an attempt asks for, journals its acceptance, and starts
// to carry it out. From the journal's answer on, the worker owes an outcome.
func (w *Worker) take(at *active) (messages.Outcome, error) {
	a := at.Attempt
	o := w.outcome(&a, messages.StatusAccepted)
	at.Last = &o
	route, err := w.attempts.admit(at)
	if route != nil {
		return w.refuse(a, route)
	}
	if err != nil {
		return messages.Outcome{}, err
	}
	a.Last = &o
	var publish []messages.Outcome
	if a.Direct {
		publish = append(publish, o) // a placer that sent it has the reply
	}
	if err := w.cfg.Journal.Write(a, publish...); err != nil {
		w.attempts.drop(at, nil)
		return messages.Outcome{}, unavailable(err)
	}
	w.queued()
	w.roomChanged(at)
	w.log.Info("accepted a job", "job", a.Job.ID, "attempt", a.Job.Attempt, "op", a.Job.Op)
	w.tell(messages.EventAccepted, &a, "")
	at.place.keep()
	w.work.Go(func() { w.carryOut(at, false) })
	return o, nil
}

// await is an attempt's last outcome (of a service, that it runs), or the one
// given when the time is over first.
func (w *Worker) await(ctx context.Context, o messages.Outcome, wait time.Duration) messages.Outcome {
	key := journal.Key{Job: o.Job, Attempt: o.Attempt}
	if at := w.attempts.get(key); at != nil {
		select {
		case <-at.done:
		case <-at.running:
		case <-time.After(wait):
			return o
		case <-ctx.Done():
			return o
		}
	}
	a, err := w.cfg.Journal.Attempt(key.Job, key.Attempt)
	if err != nil || a.Last == nil {
		return o
	}
	return *a.Last
}

// outcome begins an outcome of an attempt, the next in its sequence. The
// answers to a direct command carry its body, so that placers can adopt it.
func (w *Worker) outcome(a *journal.Attempt, status messages.Status) messages.Outcome {
	o := messages.Outcome{
		V: messages.Version, Job: a.Job.ID, Op: a.Job.Op, Node: w.cfg.Node,
		Attempt: a.Job.Attempt, Seq: 1, Status: status, At: time.Now(),
	}
	if a.Last != nil {
		o.Seq = a.Last.Seq + 1
	}
	if a.Direct && (status == messages.StatusAccepted || status == messages.StatusRouteToPeer) {
		body := a.Job
		body.Attempt = 0
		o.JobBody, o.Fingerprint = &body, a.Fingerprint
	}
	return o
}

// rejected answers a message that is itself bad. The job's id is named where it
// can be made out.
func (w *Worker) rejected(job *messages.Job, data []byte, err error) messages.Outcome {
	id := job.ID
	if id == "" {
		var head struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(data, &head) == nil && messages.ValidToken(head.ID) {
			id = head.ID
		}
	}
	return messages.Outcome{
		V: messages.Version, Job: messages.TruncateReason(id), Op: messages.Op(messages.TruncateReason(string(job.Op))),
		Node: w.cfg.Node, Attempt: job.Attempt, Status: messages.StatusRejected, At: time.Now(), Error: messages.AsError(err),
	}
}

func unavailable(err error) error {
	return &messages.Error{Code: messages.CodeUnavailable, Message: messages.TruncateReason(err.Error()), Retryable: true}
}
