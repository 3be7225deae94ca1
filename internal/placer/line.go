package placer

import (
	"cmp"
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// before is the first of the live jobs about the same container that came before
// one, or "".
func (r *records) before(rec *messages.Record) string {
	for _, e := range r.inLine(rec.Job.ContainerName()) {
		if other := e.record; other.Job.ID != rec.Job.ID && !other.State.Ended() && other.Order > 0 && other.Order < rec.Order {
			return other.Job.ID
		}
	}
	return ""
}

// heardOf tells whether the bucket's changes have come as far as that revision.
func (r *records) heardOf(revision uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.heard >= revision
}

// line is the jobs that wait for their turn at a container, in their order.
func (r *records) line(container string) []string {
	var jobs []string
	for _, e := range r.inLine(container) {
		if e.record.State == messages.StatePending {
			jobs = append(jobs, e.record.Job.ID)
		}
	}
	return jobs
}

func (r *records) inLine(container string) []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	line := pick(r.index.lines[container], func(*entry) bool { return true })
	slices.SortFunc(line, func(a, b entry) int { return cmp.Compare(a.record.Order, b.record.Order) })
	return line
}
