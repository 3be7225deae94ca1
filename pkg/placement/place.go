package placement

import (
	"fmt"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// pend takes the job from whatever node had it; it is placed again no earlier
// than notBefore.
func (s *step) pend(reason string, notBefore time.Time) {
	r := s.rec
	r.State = messages.StatePending
	r.Node, r.Journal, r.Healthy = "", "", false
	r.Reason = messages.TruncateReason(reason)
	r.NotBefore = notBefore
}

// place hands the job over to the best node other than except, or leaves it
// pending with the reason.
func (s *step) place(except string) {
	r := s.rec
	if s.expired() {
		s.end(messages.StateDead, s.overdue())
		return
	}
	if r.Starts >= r.Job.Policy.StartLimit() {
		s.end(messages.StateDead, s.usedUp(r.Reason))
		return
	}
	r.State = messages.StatePending
	if s.nameless() && !besides(r) {
		if r.Reason == "" {
			r.Reason = "waits for the name " + r.Job.ContainerName()
		}
		return
	}
	if s.unlocated() {
		if r.Reason == "" {
			r.Reason = "looks for the node that holds " + r.Job.ContainerName()
		}
		return
	}
	if s.now.Before(r.NotBefore) {
		return
	}
	if f, blocked := s.blocked(); blocked {
		r.Reason = fmt.Sprintf("waits until %s has let go of attempt %d: %s", f.Node, f.Attempt, whyOneAtATime(&r.Job))
		return
	}
	node, ok := s.choose(except)
	if !ok {
		switch {
		case except != "" && s.peers.Get(except) != nil:
			r.Reason = fmt.Sprintf("%s did not answer; it is asked again", except)
		case !s.terse:
			r.Reason = explainFor(r, s.peers, s.now).Reason
		}
		return
	}
	r.State = messages.StateAssigned
	r.Node, r.Journal = node, s.journal(node)
	r.Attempt, r.Highest = r.LastAttempt()+1, 0
	r.NotBefore = time.Time{}
	r.Reason = ""
	s.remember(node, string(messages.EventPlaced), "", "")
	s.tell(messages.EventPlaced, "placed on "+node)
}

// choose picks a node other than except. One on which the job has just failed
// for a reason that may pass is left alone if another will do.
func (s *step) choose(except string) (string, bool) {
	r, peers := s.rec, s.peers
	if s.holder != "" {
		return s.holder, true
	}
	if except != "" {
		peers = peers.Without(except)
	}
	if failed := failedOn(r.Outcome); failed != "" && failed != except {
		if node, ok := chooseFor(r, peers.Without(failed), s.now); ok {
			return node, true
		}
	}
	return chooseFor(r, peers, s.now)
}

// failedOn is the node whose last word was a failure that may pass, or "".
func failedOn(o *messages.Outcome) string {
	if o == nil || o.Error == nil || !o.Error.Retryable {
		return ""
	}
	if o.Status != messages.StatusFailed && o.Status != messages.StatusRejected {
		return ""
	}
	return o.Node
}

// blocked tells which debt keeps a job that runs one attempt at a time from being
// placed.
func (s *step) blocked() (messages.Fence, bool) {
	if !OneAtATime(&s.rec.Job) {
		return messages.Fence{}, false
	}
	i := slices.IndexFunc(s.rec.Fences, func(f messages.Fence) bool { return !f.Expired })
	if i < 0 {
		return messages.Fence{}, false
	}
	return s.rec.Fences[i], true
}

// journal is the one that the node's worker keeps, as far as is known.
func (s *step) journal(node string) string {
	if n := s.peers.Get(node); n != nil {
		return n.Journal()
	}
	return ""
}

// expired tells whether the job's deadline has passed before it was done, or,
// of a service, before it was healthy for the first time.
func (s *step) expired() bool {
	d := s.rec.Job.Policy.Deadline.Std()
	if isService(s.rec) && !s.rec.HealthySince.IsZero() {
		return false
	}
	return d > 0 && s.now.After(s.rec.Created.Add(d))
}

// overdue says that the deadline is over.
func (s *step) overdue() string {
	return messages.TruncateReason(fmt.Sprintf("the deadline of %s is over%s", s.rec.Job.Policy.Deadline, lastly(s.rec.Reason)))
}

// usedUp says that the job has been started as often as it may be.
func (s *step) usedUp(last string) string {
	return fmt.Sprintf("started %d times, the most its policy allows%s", s.rec.Starts, lastly(last))
}

// lastly adds what was said before, if there was anything.
func lastly(reason string) string {
	if reason == "" {
		return ""
	}
	return "; last: " + reason
}
