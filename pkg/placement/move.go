package placement

import (
	"fmt"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// vacate begins to move a service off a node that drains: a successor is
// started elsewhere, and takes over when it is up. A job that must never run
// twice at once, or that takes its volumes along, is stopped first. One whose
// volumes are nowhere else stays.
func (s *step) vacate(node string) bool {
	r := s.rec
	if r.State != messages.StateRunning || r.Node != node || !isService(r) || r.Successor != nil || s.now.Before(r.NotBefore) {
		return false
	}
	if OneAtATime(&r.Job) {
		s.remember(node, eventVacated, "", "the node drains; stopped before it is started elsewhere")
		s.owe(node, r.Attempt, false)
		s.release(node)
		r.Starts = max(0, r.Starts-1) // a drain costs no start
		s.pend("moves off "+node+", which drains", time.Time{})
		s.place("")
		return true
	}
	target := r.Job.Target
	s.release(node)
	to, ok := chooseFor(r, s.peers.Without(node), s.now)
	if !ok {
		before := r.Reason
		r.Reason = messages.TruncateReason(fmt.Sprintf("%s drains, and no other node will do: %s", node, explainFor(r, s.peers, s.now).Reason))
		r.Job.Target = target
		return s.worthWriting(before) || !strings.HasPrefix(before, node+" drains") // the first time at once
	}
	r.Highest = r.LastAttempt() + 1
	r.Successor = &messages.Successor{Node: to, Attempt: r.Highest, Journal: s.journal(to)}
	r.Reason = ""
	s.rememberOf(to, r.Highest, string(messages.EventPlaced), "", "to take over from "+node+", which drains")
	s.tell(messages.EventPlaced, "placed on "+to+" to take over from "+node)
	return true
}

const eventVacated = "vacated"

// heir takes in what the successor says.
func (s *step) heir(o *messages.Outcome) bool {
	r, succ := s.rec, *s.rec.Successor
	switch {
	case !o.Status.Ends() && !o.Healthy():
		if succ.Accepted {
			return false
		}
		succ.Accepted = true
		r.Successor = &succ
		return true
	case o.Status == messages.StatusRunning:
		s.promote(o)
		return true
	case unanswered(o):
		return false
	}
	if o.Status == messages.StatusRouteToPeer {
		s.noteRefusal(o)
	}
	s.rememberOf(o.Node, o.Attempt, string(o.Status), codeOf(o), reasonOf(o))
	if forgotten(o) {
		s.dropSuccessor() // what that journal knew of may still run
	}
	r.Successor = nil
	r.NotBefore = s.now.Add(backoff(&r.Job, r.Starts))
	return true
}

// promote makes the successor, which is up, the current attempt.
func (s *step) promote(o *messages.Outcome) {
	r := s.rec
	from, attempt := r.Node, r.Attempt
	if !r.Healthy {
		r.HealthySince = s.now
	}
	s.succeed()
	s.owe(from, attempt, false)
	o.JobBody = nil
	r.Outcome = o
	r.State, r.Healthy = messages.StateRunning, true
	s.remember(r.Node, string(messages.EventMoved), "", "took over from "+from)
	s.tell(messages.EventMoved, fmt.Sprintf("from %s, which drains, to %s", from, r.Node))
}

// succeed puts the successor in the place of the current attempt.
func (s *step) succeed() {
	r, succ := s.rec, s.rec.Successor
	r.Node, r.Attempt, r.Journal = succ.Node, succ.Attempt, succ.Journal
	if r.Highest <= r.Attempt {
		r.Highest = 0
	}
	r.Successor, r.Healthy = nil, false
	r.State = messages.StateAssigned
	if succ.Accepted {
		r.State = messages.StateRunning
	}
	r.Reason = ""
	r.NotBefore = time.Time{}
}

// dropSuccessor lets go of a successor that may be alive.
func (s *step) dropSuccessor() {
	if succ := s.rec.Successor; succ != nil {
		s.owe(succ.Node, succ.Attempt, false)
		s.rec.Successor = nil
	}
}
