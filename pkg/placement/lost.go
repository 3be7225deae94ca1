package placement

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// nodeLost moves, ends or leaves what a lost node had, as the job's policy says.
func (s *step) nodeLost(ev NodeLost) bool {
	changed := ev.over(&s.rec.Job) && s.expire(ev.Node)
	if succ := s.rec.Successor; succ != nil && succ.Node == ev.Node && ofJournal(succ.Journal, ev.Journal) {
		s.rememberOf(succ.Node, succ.Attempt, eventNodeLost, "", ev.Reason)
		s.dropSuccessor()
		changed = true
	}
	if held(s.rec) && s.rec.Node == ev.Node && ofJournal(s.rec.Journal, ev.Journal) {
		return s.lose(ev) || changed
	}
	changed = !s.rec.State.Ended() && s.leaveHome(ev) || changed
	if changed && s.rec.State == messages.StatePending {
		s.place("")
	}
	return changed
}

const eventNodeLost = "node_lost"

// ofJournal tells whether an event that is limited to a journal is about an
// attempt that was placed with journal.
func ofJournal(journal, limit string) bool { return limit == "" || journal == limit }

// expire marks what is not waited for any more: a node whose lease is over has
// stopped it by itself.
func (s *step) expire(node string) bool {
	i := slices.IndexFunc(s.rec.Fences, func(f messages.Fence) bool { return f.Node == node && !f.Expired })
	if i < 0 || !OneAtATime(&s.rec.Job) || s.rec.State.Ended() {
		return false
	}
	s.rec.Fences = slices.Clone(s.rec.Fences)
	s.rec.Fences[i].Expired = true
	return true
}

// lose decides about the current attempt of a node that is lost.
func (s *step) lose(ev NodeLost) bool {
	r := s.rec
	policy := r.Job.Policy.OnNodeLoss
	switch {
	case Stops(&r.Job) && !ev.LeaseOver && ev.Journal == "":
		return false // it may still be running there
	case r.State == messages.StateCancelling:
		s.loseCurrent(ev)
		s.end(s.ending(), r.Reason)
	case r.Successor != nil:
		s.loseCurrent(ev)
		s.tell(messages.EventMoved, fmt.Sprintf("from %s, which is lost, to %s", r.Node, r.Successor.Node))
		s.succeed()
	case policy == messages.LossWait && ev.Journal == "" && !ev.forgotten:
		return s.stays(fmt.Sprintf("waits for %s, as on_node_loss: wait asks: %s", r.Node, ev.Reason))
	case policy == messages.LossFail, !s.mayGoOn():
		s.loseCurrent(ev)
		s.end(messages.StateLost, fmt.Sprintf("%s is lost: %s", r.Node, ev.Reason))
	case s.staysHome(ev):
		return s.stays(s.waitsAtHome(ev))
	default:
		s.reschedule(ev)
	}
	return true
}

// stays leaves the job where it is, with the reason.
func (s *step) stays(reason string) (changed bool) {
	reason = messages.TruncateReason(reason)
	changed = s.rec.Reason != reason
	s.rec.Reason = reason
	return changed
}

// mayGoOn tells whether the job may be begun anew when nobody can tell how far
// the current attempt has come.
func (s *step) mayGoOn() bool {
	r := s.rec
	return r.State == messages.StateAssigned || isService(r) || r.Job.Policy.Idempotent ||
		r.Job.Policy.OnNodeLoss == messages.LossReschedule
}

// loseCurrent notes the loss, and what is owed for it.
func (s *step) loseCurrent(ev NodeLost) {
	s.remember(s.rec.Node, eventNodeLost, "", ev.Reason)
	s.owe(s.rec.Node, s.rec.Attempt, ev.over(&s.rec.Job))
}

// reschedule places the job of a lost node anew.
func (s *step) reschedule(ev NodeLost) {
	r := s.rec
	from := r.Node
	s.loseCurrent(ev)
	s.forgiveStarts()
	s.release(from)
	s.leaveHome(ev)
	s.pend(fmt.Sprintf("%s is lost: %s", from, ev.Reason), time.Time{})
	s.place("")
	if r.State == messages.StateAssigned {
		s.tell(messages.EventMoved, fmt.Sprintf("from %s, which is lost, to %s", from, r.Node))
	}
}

// release unties a job that looks for a node from the target that it has been
// on: it was tried first, and now another will do.
func (s *step) release(node string) {
	job := &s.rec.Job
	if job.Target == node && job.Op.Places() && job.Policy.Reroute != messages.RerouteNever {
		job.Target = ""
	}
}

// forgotten handles the loss of a node that will not come back.
func (s *step) forgotten(node string) bool {
	changed := s.nodeLost(NodeLost{Node: node, Reason: "an operator says that it will not come back", LeaseOver: true, forgotten: true})
	return s.letGo(node, math.MaxUint64, "forgotten") || changed
}
