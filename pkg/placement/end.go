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
	r.State, r.Ending, r.Healthy = state, "", false
	r.Reason = messages.TruncateReason(reason)
	r.NotBefore = time.Time{}
	if n := len(r.History); n == 0 || r.History[n-1].Event != string(state) { // else the outcome said the same
		s.remember(r.Node, string(state), "", reason)
	}
	switch state {
	case messages.StateDead:
		s.tell(messages.EventDead, reason)
	case messages.StateCancelled:
		s.tell(messages.EventCancelled, reason)
	}
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
func (s *step) retryAsked(reason string) bool {
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
	}
	r.Retries++
	r.Starts, r.Outcome, r.Ending = 0, nil, ""
	r.Named, r.HealthySince = false, time.Time{}
	r.Job.Refused, r.Job.RefusedDropped = nil, 0
	r.Created = s.now
	s.remember("", "retry", "", reason)
	s.pend("", time.Time{})
	s.place("")
	return true
}
