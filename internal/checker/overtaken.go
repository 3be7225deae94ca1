package checker

import (
	"fmt"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// overtaken is rule 3 as well: a node that is back does not carry out what it was
// sent before, and others have begun since. One command may have been under way
// when it went: in its journal, and not yet answered. Of that no placer could
// know. Several show that it takes up what had waited for it. Jobs that may be
// done twice are left out.
func (m *model) overtaken() []Violation {
	type absence struct {
		node string
		from time.Time
	}
	late := map[absence][]Event{}
	var order []absence
	for _, j := range m.jobs {
		p := j.policy()
		repeats := p.Idempotent || p.RetryExit || p.OnNodeLoss == messages.LossReschedule || len(j.retries) > 0
		if !j.isRun() || !j.isTask() || len(j.nodes) > 1 || repeats {
			continue
		}
		for _, r := range j.containers() {
			from, away := m.away.last(r.node(), r.start.At)
			if !away || !startedAfterALaterOne(j, r, m.cfg.Skew) {
				continue
			}
			a := absence{r.node(), from}
			if late[a] == nil {
				order = append(order, a)
			}
			late[a] = append(late[a], r.start)
		}
	}
	var found []Violation
	for _, a := range order {
		if events := late[a]; len(events) > 1 {
			found = append(found, Violation{
				Rule: 3, Job: events[0].Job, Events: events,
				What: fmt.Sprintf("%s was back, and started %d tasks that others had started since", a.node, len(events)),
			})
		}
	}
	return found
}

// startedAfterALaterOne tells whether a later attempt of the job had been started
// before this one was.
func startedAfterALaterOne(j *job, r *run, skew time.Duration) bool {
	return slices.ContainsFunc(j.runs, func(o *run) bool {
		return o.attempt() > r.attempt() && o.start.At.Add(skew).Before(r.start.At)
	})
}

// last is when a node went away for the last time before t.
func (a *absences) last(node string, t time.Time) (from time.Time, ok bool) {
	for _, s := range a.nodes[node] {
		if !s.from.After(t) {
			from, ok = s.from, true
		}
	}
	return from, ok
}
