package placement

import (
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// MaxAge is how old a job without a record may be: an older one is a repeat of
// a job that has been forgotten, and running it again would be running it
// twice.
const MaxAge = 24 * time.Hour

// submit takes in a job that nobody knows.
func (s *step) submit(ev Submitted) (*messages.Record, []Effect) {
	if e := s.unacceptable(&ev); e != nil {
		return nil, []Effect{Reject{*e}}
	}
	s.rec = s.newRecord(ev.Job, ev.Fingerprint)
	if NeedsHolder(&ev.Job) || NeedsName(&ev.Job) && ev.Job.Args.Replace {
		s.rec.Order = ev.Order
	}
	s.rec.Job.Attempt, s.rec.Job.Refused, s.rec.Job.RefusedDropped = 0, nil, 0 // a scheduler leaves them out
	s.place("")
	return s.rec, append(Due(s.rec), s.effects...)
}

func (s *step) newRecord(job messages.Job, fingerprint string) *messages.Record {
	return &messages.Record{
		V: messages.Version, Job: job, State: messages.StatePending,
		Created: s.now, Updated: s.now, Fingerprint: fingerprint,
	}
}

// unacceptable is why a job is not taken, or nil.
func (s *step) unacceptable(ev *Submitted) *messages.Error {
	job := &ev.Job
	if !job.Created.IsZero() && s.now.Sub(job.Created) > MaxAge {
		return &messages.Error{
			Code: messages.CodeExpired, Field: "created",
			Message: fmt.Sprintf("%s is more than %s ago and there is no record of the job; submit it under a new id", job.Created.Format(time.RFC3339), MaxAge),
		}
	}
	if job.Op == messages.OpRevoke {
		return &messages.Error{
			Code: messages.CodePermissionDenied, Field: "op",
			Message: `"revoke" is for placers; cancel a job on its cancel subject`,
		}
	}
	if ev.Holder != "" && !job.Args.Replace {
		e := taken(job, ev.Holder)
		return &e
	}
	return nil
}

// taken says that another job has the name.
func taken(job *messages.Job, holder string) messages.Error {
	return messages.Error{
		Code: messages.CodeAlreadyExists, Field: "service",
		Message: fmt.Sprintf(`%s; give another service or replica, or "args": {"replace": true}`, nameHeld(job, holder)),
	}
}

// resubmit answers the same id again: the same job gets the same answer, and
// another one under that id a rejection.
func (s *step) resubmit(ev Submitted) {
	switch {
	case ev.Fingerprint != s.rec.Fingerprint:
		s.effects = append(s.effects, Reject{messages.Error{
			Code: messages.CodeIDConflict, Field: "id",
			Message: fmt.Sprintf("%q belongs to another job (%s); submit this one under an id of its own", ev.Job.ID, s.rec.State),
		}})
	case s.rec.State.Ended():
		s.effects = append(s.effects, Repeat{})
	}
}

// adopt makes a record of a job that a worker was given directly, from the body
// that comes with the worker's first word on it.
func (s *step) adopt(o messages.Outcome) (*messages.Record, []Effect) {
	if o.JobBody == nil || o.JobBody.Op == messages.OpRevoke || o.Attempt == 0 || o.Attempt >= mostAttempts {
		return nil, nil
	}
	s.rec = s.newRecord(*o.JobBody, o.Fingerprint)
	s.rec.State = messages.StateAssigned
	s.rec.Node = o.Node
	s.rec.Attempt = o.Attempt
	s.rec.Journal = s.journal(o.Node)
	s.remember(o.Node, "adopted", "", "a direct command")
	if !s.report(o) {
		return nil, nil
	}
	if s.nameless() && held(s.rec) {
		s.effects = append(s.effects, Claim{})
	}
	return s.rec, append(Due(s.rec), s.effects...)
}
