package placement

import (
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// end puts the job into an end state. A successor is let go of.
func (s *step) end(state messages.State, reason string) {
	r := s.rec
	s.dropSuccessor()
	unsaid := state == messages.StateFailed && r.Ending == messages.StateFailed && !s.saidEnd()
	r.State, r.Ending, r.Healthy = state, "", false
	r.Reason = messages.TruncateReason(reason)
	r.NotBefore = time.Time{}
	if n := len(r.History); n == 0 || r.History[n-1].Event != string(state) { // else the outcome said the same
		node := r.Node
		if unsaid {
			node = "" // else it would look like the node's own word
		}
		s.remember(node, string(state), "", reason)
	}
	switch state {
	case messages.StateDead:
		s.tell(messages.EventDead, reason)
	case messages.StateCancelled:
		s.tell(messages.EventCancelled, reason)
	}
}

// saidEnd tells whether the current attempt's own outcome has ended it.
func (s *step) saidEnd() bool {
	o := s.rec.Outcome
	return o != nil && o.Node == s.rec.Node && o.Attempt == s.rec.Attempt && o.Status.Ends()
}

// cancelAsked cancels the job, once for each cancel: the same one may come again
// when another life has begun.
func (s *step) cancelAsked(ev CancelAsked) bool {
	if ev.Order > 0 && ev.Order <= s.rec.Cancelled || !s.cancel(ev.Reason) {
		return false
	}
	s.rec.Cancelled = max(s.rec.Cancelled, ev.Order)
	return true
}

// cancel ends a job that nobody works on, and begins to end any other.
func (s *step) cancel(reason string) bool {
	r := s.rec
	switch r.State {
	case messages.StatePending:
		s.end(messages.StateCancelled, reason)
	case messages.StateAssigned, messages.StateRunning:
		s.dropSuccessor()
		r.State, r.Ending = messages.StateCancelling, messages.StateCancelled
		r.Reason = messages.TruncateReason(reason)
		s.remember(r.Node, "cancel", "", reason)
	default:
		return false
	}
	return true
}

// ending is the state in which a job that is being cancelled ends.
func (s *step) ending() messages.State {
	if s.rec.Ending != "" {
		return s.rec.Ending
	}
	return messages.StateCancelled
}

// retryAsked gives a job that has ended badly another life, and one that waits
// its next try at once.
func (s *step) retryAsked(ev RetryAsked) bool {
	r := s.rec
	switch {
	case r.State == messages.StatePending:
		before := *r
		r.NotBefore = time.Time{}
		s.place("")
		if s.nameless() && r.State == messages.StatePending {
			s.effects = append(s.effects, Claim{})
		}
		return r.State != before.State || !before.NotBefore.IsZero()
	case !r.State.Ended() || r.State == messages.StateCompleted:
		s.effects = append(s.effects, Reject{messages.Error{
			Code: messages.CodeFailedPrecondition, Field: "id",
			Message: fmt.Sprintf("job %q is %s; only one that failed, was interrupted, lost or cancelled, or is dead can be retried", r.Job.ID, r.State),
		}})
		return false
	case ev.Holder != "" && !r.Job.Args.Replace:
		s.effects = append(s.effects, Reject{taken(&r.Job, ev.Holder)})
		return false
	case owesEnd(r):
		s.effects = append(s.effects, Reject{messages.Error{
			Code: messages.CodeFailedPrecondition, Field: "id",
			Message: fmt.Sprintf("job %q has replaced job %q, which has not ended yet; retry it when that has", r.Job.ID, r.Replaces.Job),
		}})
		return false
	}
	r.Retries++
	r.Starts, r.Outcome, r.Ending = 0, nil, ""
	r.Named, r.Replaces, r.HealthySince = false, nil, time.Time{}
	if NeedsName(&r.Job) {
		r.Order = 0 // it asks for its name now
	}
	r.Job.Refused, r.Job.RefusedDropped = nil, 0
	r.Created = s.now
	s.remember("", "retry", "", ev.Reason)
	s.pend("", time.Time{})
	s.place("")
	return true
}
