package placement

import (
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// Next is the state machine of a job: given its record (nil when there is
// none, an ended one for as long as it is remembered), something that happened,
// the peers and the time, it returns the record as it should be and what to do
// once that is written. It returns r itself when nothing changes; it never
// writes to *r. Every event is legal in every state. docs/job-states.md is the
// same in words.
//
//	pending --place--> assigned --accepted--> running --done--> completed
//	   ^                  |                      |--------------> failed
//	   |<--route_to_peer--+<---------------------|--------------> interrupted
//	   |<--retryable failure, node lost----------|--------------> lost
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
	terse   bool   // a new reason would not be written: it need not be found
	holder  string // the node that holds the container that the job works on, once that is known
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
	case Claimed:
		return s.claimed(ev)
	case Superseded:
		return s.superseded(ev)
	case Replaced:
		return s.replaced(ev)
	case Located:
		return s.located(ev)
	case Reported:
		return s.report(ev.Outcome)
	case Unheard:
		return s.unheard(ev)
	case NodeLost:
		return s.nodeLost(ev)
	case NodeForgotten:
		return s.forgotten(ev.Node)
	case Vacate:
		return s.vacate(ev.Node)
	case CancelAsked:
		return s.cancelAsked(ev)
	case RetryAsked:
		return s.retryAsked(ev)
	case Tick:
		return s.tick()
	}
	return false
}

// tick reconsiders a job that waits, and ends one whose deadline is over.
func (s *step) tick() bool {
	r := s.rec
	switch {
	case held(r) && r.State != messages.StateCancelling && s.expired():
		s.dropSuccessor()
		r.State, r.Ending = messages.StateCancelling, messages.StateDead
		r.Reason = s.overdue()
		s.remember(r.Node, "deadline", "", r.Reason)
		return true
	case r.State != messages.StatePending:
		return false
	case s.nameless() && !s.expired():
		s.effects = append(s.effects, Claim{})
		return false
	case s.unlocated() && !s.expired():
		if !s.now.Before(r.NotBefore) {
			s.effects = append(s.effects, Locate{})
		}
		return false
	}
	reason := r.Reason
	s.terse = s.now.Before(r.Updated.Add(reasonEvery))
	s.place("")
	if r.State != messages.StatePending {
		return true
	}
	return s.worthWriting(reason)
}

// worthWriting tells whether a reason that alone has changed is to be written:
// it has numbers in it that change with every heartbeat.
func (s *step) worthWriting(before string) bool {
	return s.rec.Reason != before && !s.now.Before(s.rec.Updated.Add(reasonEvery))
}

// reasonEvery is how often, at most, a job that waits is given a new reason.
const reasonEvery = 10 * time.Second

// held tells whether a node has the job, so that the record has a current
// attempt.
func held(r *messages.Record) bool {
	return r.State == messages.StateAssigned || r.State == messages.StateRunning || r.State == messages.StateCancelling
}

// isService tells whether the job's steady state is to run.
func isService(r *messages.Record) bool { return r.Job.EffectiveKind() == messages.KindService }

// nameless tells whether the job may not be placed before it holds its name.
func (s *step) nameless() bool { return NeedsName(&s.rec.Job) && !s.rec.Named }

// unheard places an attempt that surely never reached its node again, on
// another. Nodes that beat and do not answer are asked at a pace: at once only
// after the first of them.
func (s *step) unheard(ev Unheard) bool {
	r := s.rec
	if succ := r.Successor; succ != nil && !succ.Accepted && succ.Node == ev.Node && succ.Attempt == ev.Attempt {
		s.rememberOf(ev.Node, ev.Attempt, eventUnheard, CodeNotAlive, "nobody answers for this node")
		r.Successor = nil
		r.NotBefore = s.now.Add(unheardDelay)
		return true
	}
	if r.State != messages.StateAssigned || r.Node != ev.Node || r.Attempt != ev.Attempt {
		return false
	}
	s.remember(ev.Node, eventUnheard, CodeNotAlive, "nobody answers for this node")
	s.pend(ev.Node+" did not answer; it is asked again", time.Time{})
	n := unheardInARow(r.History)
	if n > 1 {
		r.NotBefore = s.now.Add(unheardDelay << min(n-2, 3))
	}
	s.place(ev.Node)
	if r.State == messages.StatePending && n == 1 {
		r.NotBefore = s.now.Add(unheardDelay)
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

func (s *step) remember(node, event, code, reason string) {
	s.rememberOf(node, s.rec.Attempt, event, code, reason)
}

func (s *step) rememberOf(node string, attempt uint64, event, code, reason string) {
	s.rec.Remember(messages.History{
		At: s.now, Node: node, Attempt: attempt, Event: event, Code: code, Reason: reason,
	})
}

func (s *step) tell(kind messages.EventKind, message string) {
	s.effects = append(s.effects, Tell{Kind: kind, Message: messages.TruncateReason(message)})
}
