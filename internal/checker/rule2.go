package checker

import (
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// pair is two containers of one job that ran at the same time; old has the
// lower attempt.
type pair struct {
	old, young  *run
	from, until time.Time // when both ran
}

func (p pair) events() []Event { return append(p.old.events(), p.young.events()...) }

// pairs are the job's containers that ran at the same time, beyond what the
// sources' clocks may be apart.
func (m *model) pairs(j *job) []pair {
	var found []pair
	for i, a := range j.runs {
		for _, b := range j.runs[i+1:] {
			p := pair{old: a, young: b, from: b.start.At, until: a.until}
			if b.until.Before(p.until) {
				p.until = b.until
			}
			if p.until.Sub(p.from) <= m.cfg.Skew {
				continue
			}
			if b.attempt() < a.attempt() {
				p.old, p.young = b, a
			}
			found = append(found, p)
		}
	}
	return found
}

// current is rule 2: who may run beside whom.
func (m *model) current(j *job) []Violation {
	var found []Violation
	for _, p := range m.pairs(j) {
		what := ""
		switch {
		case j.policy().OnPartition == messages.PartitionStop && len(j.nodes) < 2:
			what = "it asks for on_partition: stop, and two of its containers ran at the same time"
		case p.old.node() == p.young.node():
			what = "two of its containers ran at the same time on one node"
		case len(j.nodes) < 2 && p.old.attempt() != p.young.attempt() && !m.mayOverlap(j, p):
			what = fmt.Sprintf("two of its containers ran at the same time, and %s was neither away nor draining", p.old.node())
		}
		if what != "" {
			found = append(found, Violation{Rule: 2, Job: j.id, What: what, Events: p.events()})
		}
	}
	return found
}

// mayOverlap tells whether the older of two containers may still have been
// there: its node was away before the younger one was started, or is draining.
func (m *model) mayOverlap(j *job, p pair) bool {
	from, to := m.window(p)
	if m.away.wasAway(p.old.node(), from, to) {
		return true
	}
	return j.kind() == messages.KindService && m.away.drained(p.old.node(), from, to)
}

// window is the time before a pair that may explain it.
func (m *model) window(p pair) (from, to time.Time) {
	from = p.old.start.At
	if p.young.start.At.Before(from) {
		from = p.young.start.At
	}
	return from.Add(-m.cfg.Grace), p.from
}

// superseded is rule 2 as well: a container that is no longer the job's own is
// gone soon after its node can be heard.
func (m *model) superseded(j *job) []Violation {
	if !j.isRun() {
		return nil
	}
	var found []Violation
	say := func(what string, events []Event) {
		found = append(found, Violation{Rule: 2, Job: j.id, What: what, Events: events})
	}
	for _, p := range m.pairs(j) {
		if j.succeeds(p.young) {
			continue // the old one is still the job's own
		}
		until := p.old.until
		if m.away.drained(p.old.node(), p.old.start.At, p.from) || len(j.nodes) > 1 {
			until = p.until // the younger one may have been let go instead
		}
		if what := m.runsOn(p.old, p.from, until); what != "" {
			say("attempt "+fmt.Sprint(p.old.attempt())+" was superseded by attempt "+fmt.Sprint(p.young.attempt())+", and "+what, p.events())
		}
	}
	for _, w := range lives(j.words) {
		for _, r := range j.runs {
			if r.start.At.After(w.At) || !r.until.After(w.At) {
				continue
			}
			if what := m.runsOn(r, w.At, r.until); what != "" {
				say("its last word was said, and "+what, append(r.events(), w))
			}
		}
	}
	return append(found, m.orphans(j)...)
}

// succeeds tells whether a container is the successor's that the job's record
// has at the end.
func (j *job) succeeds(r *run) bool {
	return j.live != nil && j.live.Successor != nil &&
		j.live.Successor.Node == r.node() && j.live.Successor.Attempt == r.attempt()
}

// runsOn says that a container ran for too long from an instant on, or "".
func (m *model) runsOn(r *run, from, until time.Time) string {
	heard := m.away.heard(r.node(), from, until)
	switch {
	case heard > m.cfg.Grace+m.cfg.Skew:
		return fmt.Sprintf("its container ran on for %s while %s could be heard", heard.Round(time.Millisecond), r.node())
	case r.end == nil && until.Equal(m.end) && m.away.backAtEnd(r.node(), m.end):
		return fmt.Sprintf("its container still runs on %s at the end", r.node())
	}
	return ""
}

// orphans are containers that run at the end and belong to no current attempt.
func (m *model) orphans(j *job) []Violation {
	var found []Violation
	for _, r := range j.runs {
		if r.end != nil || !m.away.backAtEnd(r.node(), m.end) || len(lives(j.words)) > 0 && j.live == nil {
			continue // what ran on after the last word is said above
		}
		live := j.live
		switch {
		case live == nil && len(j.acknowledged) == 0:
		case live != nil && live.Node == r.node() && live.Attempt == r.attempt():
		case j.succeeds(r):
		default:
			found = append(found, Violation{
				Rule: 2, Job: j.id, Events: r.events(),
				What: fmt.Sprintf("a container of attempt %d runs on %s at the end, and no record says that it should", r.attempt(), r.node()),
			})
		}
	}
	return found
}
