package checker

import (
	"fmt"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// killed is rule 4 while the bus is away, and else rule 5: no container ends by
// a signal for which nobody has asked.
func (m *model) killed(j *job) []Violation {
	var found []Violation
	for _, r := range j.runs {
		if r.end == nil || r.end.ExitCode == nil || *r.end.ExitCode <= 128 || m.explained(j, r) {
			continue
		}
		v := Violation{Rule: 5, Job: j.id, Events: r.events(), What: "its container was killed, and nobody had asked for it"}
		if m.away.busAway(r.until) {
			v.Rule, v.What = 4, "its container was killed while the bus was away, and nobody had asked for it"
		}
		found = append(found, v)
	}
	return found
}

// explained tells whether there is a reason for which shunt, or somebody else,
// may have killed a container.
func (m *model) explained(j *job, r *run) bool {
	at := r.until.Add(m.cfg.Skew)
	before := func(events []Event) bool {
		return slices.ContainsFunc(events, func(e Event) bool { return !e.At.After(at) })
	}
	switch p := j.policy(); {
	case r.end.Cause != "", j.unwell(r), before(j.cancels), before(j.stopAsks), before(j.words):
		return true
	case len(j.nodes) > 1, j.body != nil && j.body.Timeout > 0, p.Deadline > 0:
		return true
	case m.away.drained(r.node(), r.start.At, at):
		return true
	case p.OnPartition == messages.PartitionStop && m.cutOff(r.node(), r.start.At, at):
		return true
	}
	// Its node was away, it was given to another one, and had to go.
	return m.away.wasAway(r.node(), r.start.At.Add(-m.cfg.Grace), at) && slices.ContainsFunc(j.outcomes, func(e Event) bool {
		return e.Outcome.Status == messages.StatusRevoked && e.Outcome.Node == r.node() && e.Outcome.Attempt >= r.attempt()
	})
}

// cutOff tells whether a node, the bus or all placers were away at any time.
func (m *model) cutOff(node string, from, to time.Time) bool {
	touches := func(s span) bool { return s.touches(from, to) }
	return m.away.wasAway(node, from, to) || slices.ContainsFunc(m.away.bus, touches) || slices.ContainsFunc(m.away.placers, touches)
}

// taken is rule 4: no job is taken from a node that was there all the time,
// whatever happened to the bus.
func (m *model) taken(j *job) []Violation {
	var found []Violation
	say := func(what string, events ...Event) {
		found = append(found, Violation{Rule: 4, Job: j.id, What: what, Events: events})
	}
	if len(j.nodes) > 1 {
		return nil // one of the nodes has to give it up
	}
	for _, w := range lives(j.words) {
		if r := w.Record; r.State == messages.StateLost && !m.away.wasAway(r.Node, time.Time{}, w.At) {
			say(fmt.Sprintf("it was called lost with %s, which was never away", r.Node), w)
		}
	}
	for _, p := range m.pairs(j) {
		from, to := m.window(p)
		if p.old.attempt() != p.young.attempt() && !m.mayOverlap(j, p) && slices.ContainsFunc(m.away.bus, func(s span) bool { return s.touches(from, to) }) {
			say(fmt.Sprintf("the bus was away, and it was taken from %s, which was not", p.old.node()), p.events()...)
		}
	}
	if len(j.cancels)+len(j.stopAsks) > 0 || j.policy().Deadline > 0 {
		return found
	}
	for _, e := range j.outcomes {
		o := e.Outcome
		if o.Status == messages.StatusRevoked && !m.away.wasAway(o.Node, time.Time{}, e.At) && !m.away.drained(o.Node, time.Time{}, e.At) {
			say(fmt.Sprintf("it was revoked on %s, which was never away, and nobody had asked for it", o.Node), e)
		}
	}
	return found
}

// unheard is rule 4: how an attempt ended is heard in the end.
func (m *model) unheard(j *job) []Violation {
	if !j.isRun() {
		return nil
	}
	var found []Violation
	for _, r := range j.runs {
		if r.end == nil || r.end.Cause == CauseHarness || !m.away.backAtEnd(r.node(), m.end) {
			continue
		}
		told := slices.ContainsFunc(j.outcomes, func(e Event) bool {
			o := e.Outcome
			return o.Node == r.node() && (o.Attempt == r.attempt() && o.Status.Ends() || o.Attempt >= r.attempt() && o.Status == messages.StatusRevoked)
		})
		again := slices.ContainsFunc(j.runs, func(x *run) bool {
			return x != r && x.node() == r.node() && x.attempt() == r.attempt() && x.end == nil
		})
		if !told && !again && !j.waits(r) {
			found = append(found, Violation{
				Rule: 4, Job: j.id, Events: append(r.events(), j.outcomes...),
				What: fmt.Sprintf("attempt %d ended on %s, which never said so", r.attempt(), r.node()),
			})
		}
	}
	return found
}
