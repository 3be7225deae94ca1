package placement

import (
	"slices"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// owe notes that a node must let go of an attempt. It is told until it has
// confirmed that, however long it is away; expired says that its lease was over.
func (s *step) owe(node string, attempt uint64, expired bool) {
	fences := slices.Clone(s.rec.Fences)
	fence := messages.Fence{Node: node, Attempt: attempt, Expired: expired}
	i := slices.IndexFunc(fences, func(f messages.Fence) bool { return f.Node == node })
	switch {
	case i < 0:
		fences = append(fences, fence)
	case fences[i].Attempt < attempt:
		fences[i] = fence
	}
	s.rec.Fences = fences
}

// pay takes the debts out that an outcome shows to be paid.
func (s *step) pay(o *messages.Outcome) bool {
	if o.Status != messages.StatusRevoked {
		return false
	}
	return s.letGo(o.Node, o.Attempt, string(messages.StatusRevoked))
}

// letGo drops what is owed to a node for attempts up to the one given.
func (s *step) letGo(node string, upTo uint64, event string) bool {
	paid := func(f messages.Fence) bool { return f.Node == node && f.Attempt <= upTo }
	i := slices.IndexFunc(s.rec.Fences, paid)
	if i < 0 {
		return false
	}
	s.rememberOf(node, s.rec.Fences[i].Attempt, event, "", "")
	s.rec.Fences = slices.DeleteFunc(slices.Clone(s.rec.Fences), paid)
	if len(s.rec.Fences) == 0 {
		s.rec.Fences = nil
	}
	return true
}

// owed tells whether a revoke is owed that covers the attempt.
func (s *step) owed(node string, attempt uint64) bool {
	return slices.ContainsFunc(s.rec.Fences, func(f messages.Fence) bool { return f.Node == node && f.Attempt >= attempt })
}

// settled tells whether the history says how an attempt ended.
func (s *step) settled(node string, attempt uint64) bool {
	return slices.ContainsFunc(s.rec.History, func(h messages.History) bool {
		return h.Node == node && h.Attempt == attempt && endsAttempt(h.Event)
	})
}

// endsAttempt tells whether an event of the history is an outcome after which
// an attempt says no more.
func endsAttempt(event string) bool {
	status := messages.Status(strings.TrimPrefix(event, latePrefix))
	return slices.Contains(messages.Statuses(), status) && status.Ends()
}

// stray sees to an attempt that is not the record's and yet seems to be alive:
// it is owed a revoke. This is how the second of two nodes that were given the
// same id directly is stopped.
func (s *step) stray(o *messages.Outcome) bool {
	if o.Status.Ends() || o.Attempt == 0 || o.Attempt >= mostAttempts || s.settled(o.Node, o.Attempt) || s.owed(o.Node, o.Attempt) {
		return false
	}
	s.rememberOf(o.Node, o.Attempt, "stray", "", "another attempt counts; this one is revoked")
	s.owe(o.Node, o.Attempt, false)
	if o.Attempt > s.rec.LastAttempt() {
		s.rec.Highest = o.Attempt // the fence must not hold for what comes after a retry
	}
	return true
}
