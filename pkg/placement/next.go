package placement

import (
	"fmt"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// Next is the state machine of a job: given its record (nil when there is
// none, an ended one for as long as it is remembered), something that happened,
// the peers and the time, it returns the record as it should be and what to do
// once that is written. It returns r itself when nothing changes; it never
// writes to *r. Every event is legal in every state.
//
//	pending --place--> assigned --accepted--> running --done--> completed
//	   ^                  |                      |--------------> failed
//	   |<--route_to_peer--+<---------------------|--------------> interrupted
//	   |<--retryable failure---------------------|
//	   +--deadline, starts used up--> dead      any --cancel--> cancelling --revoked--> cancelled
func Next(r *messages.Record, ev Event, peers peer.Snapshot, now time.Time) (*messages.Record, []Effect) {
	s := step{peers: peers, now: now}
	if r == nil {
		return s.unknown(ev)
	}
	next := *r
	s.rec = &next
	if !s.known(ev) {
		return r, s.effects
	}
	next.Updated = now
	return s.rec, append(Due(s.rec), s.effects...)
}

// step is one call of Next in progress.
type step struct {
	rec     *messages.Record // a copy; what it points to is shared, and replaced, never written
	peers   peer.Snapshot
	now     time.Time
	effects []Effect
}

// unknown handles events of jobs that have no record.
func (s *step) unknown(ev Event) (*messages.Record, []Effect) {
	switch ev := ev.(type) {
	case Submitted:
		return s.submit(ev)
	case Reported:
		return s.adopt(ev.Outcome)
	}
	return nil, nil
}

// known handles events of jobs that have one; it tells whether the record has
// changed.
func (s *step) known(ev Event) bool {
	switch ev := ev.(type) {
	case Submitted:
		s.resubmit(ev)
		return false
	case Reported:
		return s.report(ev.Outcome)
	case Unheard:
		return s.unheard(ev)
	case CancelAsked:
		return s.cancel(ev.Reason)
	case Tick:
		return s.tick()
	}
	return false
}

// tick reconsiders a job that waits.
func (s *step) tick() bool {
	if s.rec.State != messages.StatePending {
		return false
	}
	reason := s.rec.Reason
	s.place("")
	if s.rec.State != messages.StatePending {
		return true
	}
	// A reason has numbers in it that change with every heartbeat; each is not
	// worth a write.
	return s.rec.Reason != reason && !s.now.Before(s.rec.Updated.Add(reasonEvery))
}

// reasonEvery is how often, at most, a job that waits is given a new reason.
const reasonEvery = 10 * time.Second

// cancel ends a job that nobody works on, and begins to end any other.
func (s *step) cancel(reason string) bool {
	switch s.rec.State {
	case messages.StatePending:
		s.end(messages.StateCancelled, reason)
	case messages.StateAssigned, messages.StateRunning:
		s.rec.State = messages.StateCancelling
		s.rec.Reason = messages.TruncateReason(reason)
		s.remember(s.rec.Node, "cancel", "", reason)
	default:
		return false
	}
	return true
}

// unheard places an attempt that surely never reached its node again, on
// another. Nodes that beat and do not answer are asked at a pace: at once only
// after the first of them.
func (s *step) unheard(ev Unheard) bool {
	if s.rec.State != messages.StateAssigned || s.rec.Node != ev.Node || s.rec.Attempt != ev.Attempt {
		return false
	}
	s.remember(ev.Node, eventUnheard, CodeNotAlive, "nobody answers for this node")
	s.rec.State = messages.StatePending
	s.rec.Reason = ev.Node + " did not answer; it is asked again"
	s.rec.NotBefore = time.Time{}
	n := unheardInARow(s.rec.History)
	if n > 1 {
		s.rec.NotBefore = s.now.Add(unheardDelay << min(n-2, 3))
	}
	s.place(ev.Node)
	if s.rec.State == messages.StatePending && n == 1 {
		s.rec.NotBefore = s.now.Add(unheardDelay)
	}
	return true
}

const eventUnheard = "unheard"

// unheardInARow is how many of the last hand-overs found nobody.
func unheardInARow(history []messages.History) int {
	n := 0
	for _, h := range slices.Backward(history) {
		switch h.Event {
		case eventUnheard:
			n++
		case string(messages.EventPlaced):
		default:
			return n
		}
	}
	return n
}

// unheardDelay is how long a node that did not answer, and is the only one that
// would do, is left alone at first.
const unheardDelay = time.Second

// end puts the job into an end state.
func (s *step) end(state messages.State, reason string) {
	s.rec.State = state
	s.rec.Reason = messages.TruncateReason(reason)
	s.rec.NotBefore = time.Time{}
	s.remember(s.rec.Node, string(state), "", reason)
	switch state {
	case messages.StateDead:
		s.tell(messages.EventDead, reason)
	case messages.StateCancelled:
		s.tell(messages.EventCancelled, reason)
	}
}

func (s *step) remember(node, event, code, reason string) {
	s.rec.Remember(messages.History{
		At: s.now, Node: node, Attempt: s.rec.Attempt, Event: event, Code: code, Reason: reason,
	})
}

func (s *step) tell(kind messages.EventKind, message string) {
	s.effects = append(s.effects, Tell{Kind: kind, Message: messages.TruncateReason(message)})
}

// place picks a node, other than except, and raises the attempt; or leaves the
// job pending with the reason.
func (s *step) place(except string) {
	r := s.rec
	if s.expired() {
		s.end(messages.StateDead, fmt.Sprintf("the deadline of %s is over; last: %s", r.Job.Policy.Deadline, r.Reason))
		return
	}
	r.State = messages.StatePending
	if s.now.Before(r.NotBefore) {
		return
	}
	peers := s.peers
	if except != "" {
		peers = peers.Without(except)
	}
	node, ok := Choose(&r.Job, r.Platforms, peers, s.now)
	if !ok {
		r.Node = ""
		r.Reason = Explain(&r.Job, r.Platforms, s.peers, s.now).Reason
		if except != "" && s.peers.Get(except) != nil {
			r.Reason = fmt.Sprintf("%s did not answer; it is asked again", except)
		}
		return
	}
	r.State = messages.StateAssigned
	r.Node = node
	r.Journal = s.peers.Get(node).Journal()
	r.Attempt++
	r.NotBefore = time.Time{}
	r.Reason = ""
	s.remember(node, string(messages.EventPlaced), "", "")
	s.tell(messages.EventPlaced, "placed on "+node)
}

// expired tells whether the job's deadline has passed before it was started.
func (s *step) expired() bool {
	d := s.rec.Job.Policy.Deadline.Std()
	return d > 0 && s.now.After(s.rec.Created.Add(d))
}
