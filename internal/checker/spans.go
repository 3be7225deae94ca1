package checker

import (
	"slices"
	"time"
)

// span is a stretch of time; it does not hold its end.
type span struct{ from, to time.Time }

func (s span) holds(t time.Time) bool { return !t.Before(s.from) && t.Before(s.to) }

// touches tells whether the span has an instant from a to b, both included.
func (s span) touches(a, b time.Time) bool { return !s.from.After(b) && !s.to.Before(a) }

// absences is who was away, and when.
type absences struct {
	nodes, draining map[string][]span
	bus             []span
	placers         []span // of all at once
}

// openSpan collects spans of one thing from its begins and ends.
type openSpan struct {
	spans []span
	open  bool
}

func (o *openSpan) begin(t time.Time) {
	if !o.open {
		o.open = true
		o.spans = append(o.spans, span{from: t})
	}
}

func (o *openSpan) end(t time.Time) {
	if o.open {
		o.open = false
		o.spans[len(o.spans)-1].to = t
	}
}

// absencesOf reads who was away from a sorted history. What never came back is
// away until after the end.
func absencesOf(history []Event, placers int) absences {
	nodes, draining := map[string]*openSpan{}, map[string]*openSpan{}
	of := func(m map[string]*openSpan, node string) *openSpan {
		if m[node] == nil {
			m[node] = &openSpan{}
		}
		return m[node]
	}
	var bus, noPlacer openSpan
	gone := map[string]bool{}
	for _, e := range history {
		switch e.Kind {
		case NodeAway:
			of(nodes, e.Node).begin(e.At)
		case NodeBack:
			of(nodes, e.Node).end(e.At)
		case DrainAsked:
			of(draining, e.Node).begin(e.At)
		case UndrainAsked:
			of(draining, e.Node).end(e.At)
		case BusAway:
			bus.begin(e.At)
		case BusBack:
			bus.end(e.At)
		case PlacerAway:
			gone[e.Node] = true
			if placers > 0 && len(gone) >= placers {
				noPlacer.begin(e.At)
			}
		case PlacerBack:
			delete(gone, e.Node)
			noPlacer.end(e.At)
		}
	}
	var after time.Time
	if len(history) > 0 {
		after = history[len(history)-1].At.Add(time.Nanosecond)
	}
	closed := func(m map[string]*openSpan) map[string][]span {
		all := map[string][]span{}
		for name, o := range m {
			o.end(after)
			all[name] = o.spans
		}
		return all
	}
	bus.end(after)
	noPlacer.end(after)
	return absences{nodes: closed(nodes), draining: closed(draining), bus: bus.spans, placers: noPlacer.spans}
}

// heard is the longest stretch from a to b in which a node could be heard
// without a break: it was there, and so were the bus and a placer.
func (a *absences) heard(node string, from, to time.Time) time.Duration {
	breaks := slices.Concat(a.nodes[node], a.bus, a.placers)
	slices.SortFunc(breaks, func(x, y span) int { return x.from.Compare(y.from) })
	var longest time.Duration
	since := from
	for _, b := range breaks {
		if b.from.After(to) {
			break
		}
		longest = max(longest, b.from.Sub(since))
		if b.to.After(since) {
			since = b.to
		}
	}
	return max(longest, to.Sub(since))
}

// wasAway tells whether a node itself was away at any time from a to b.
func (a *absences) wasAway(node string, from, to time.Time) bool {
	return slices.ContainsFunc(a.nodes[node], func(s span) bool { return s.touches(from, to) })
}

// drained tells whether a node was asked to drain at any time from a to b.
func (a *absences) drained(node string, from, to time.Time) bool {
	return slices.ContainsFunc(a.draining[node], func(s span) bool { return s.touches(from, to) })
}

// busAway is the absence of the bus that holds t, if one does.
func (a *absences) busAway(t time.Time) bool {
	return slices.ContainsFunc(a.bus, func(s span) bool { return s.holds(t) })
}

// backAtEnd tells whether a node is there when the run ends.
func (a *absences) backAtEnd(node string, end time.Time) bool {
	return !slices.ContainsFunc(a.nodes[node], func(s span) bool { return s.holds(end) })
}
