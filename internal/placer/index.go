package placer

import (
	"container/list"
	"maps"
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// index is which live records need a look, and which ones concern a node. The
// records' lock guards it.
type index struct {
	// waiting are the pending ones, the one looked at longest ago in front.
	waiting *list.List
	// due are those that owe a revoke, and the others of which something is due, or
	// will be when a deadline is over.
	due map[string]*entry
	// on are those that a node concerns, or is owed a revoke for, by node and job.
	on map[string]map[string]*entry
	// lines are those that work on a container, by its name and job.
	lines map[string]map[string]*entry
}

func newIndex() index {
	return index{
		waiting: list.New(), due: map[string]*entry{}, on: map[string]map[string]*entry{},
		lines: map[string]map[string]*entry{},
	}
}

func (x *index) add(e *entry) {
	rec, job := e.record, e.record.Job.ID
	e.owing = len(placement.Due(rec)) > 0
	switch {
	case rec.State == messages.StatePending:
		e.queued = x.waiting.PushBack(e)
		if len(rec.Fences) > 0 {
			x.due[job] = e
		}
	case e.owing || bounded(rec):
		x.due[job] = e
	}
	for _, node := range nodesOf(rec) {
		put(x.on, node, e)
	}
	if placement.NeedsHolder(&rec.Job) {
		put(x.lines, rec.Job.ContainerName(), e)
	}
}

// put adds an entry under a key, and take takes it out.
func put(to map[string]map[string]*entry, key string, e *entry) {
	if to[key] == nil {
		to[key] = map[string]*entry{}
	}
	to[key][e.record.Job.ID] = e
}

func take(from map[string]map[string]*entry, key, job string) {
	delete(from[key], job)
	if len(from[key]) == 0 {
		delete(from, key)
	}
}

// remove takes out an entry; its record must be the one it was added with.
func (x *index) remove(e *entry) {
	job := e.record.Job.ID
	if e.queued != nil {
		x.waiting.Remove(e.queued)
		e.queued = nil
	}
	delete(x.due, job)
	for _, node := range nodesOf(e.record) {
		take(x.on, node, job)
	}
	if placement.NeedsHolder(&e.record.Job) {
		take(x.lines, e.record.Job.ContainerName(), job)
	}
}

// nodesOf is every node a record names that may still have something to do with
// the job.
func nodesOf(rec *messages.Record) []string {
	nodes := placement.Concerns(rec)
	for _, f := range rec.Fences {
		nodes = append(nodes, f.Node)
	}
	return nodes
}

// bounded tells whether time alone may end what the record's node does.
func bounded(rec *messages.Record) bool {
	return rec.Job.Policy.Deadline > 0 && rec.HealthySince.IsZero() &&
		(rec.State == messages.StateAssigned || rec.State == messages.StateRunning)
}

// waiting is how many records are pending.
func (r *records) waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.index.waiting.Len()
}

// next is up to most of the pending records, those looked at longest ago, of
// which want is true; they count as looked at now. want must be quick.
func (r *records) next(most int, want func(*entry) bool) (found []entry, looked int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for all := r.index.waiting.Len(); looked < all && len(found) < most; looked++ {
		front := r.index.waiting.Front()
		e, _ := front.Value.(*entry)
		r.index.waiting.MoveToBack(front)
		if want(e) {
			found = append(found, *e)
		}
	}
	return found, looked
}

// due is the records of which something is or will be due, and of which want is
// true; of pending ones those that owe a revoke.
func (r *records) due(want func(*entry) bool) []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return pick(r.index.due, want)
}

// on is the records that a node concerns, or is owed a revoke for, and of which
// want is true.
func (r *records) on(node string, want func(*entry) bool) []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return pick(r.index.on[node], want)
}

// nodes is every node that some record names, in the order of names.
func (r *records) nodes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.index.on))
}
