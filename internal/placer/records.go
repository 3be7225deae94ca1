package placer

import (
	"bytes"
	"container/list"
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// entry is a live record as this placer last saw it.
type entry struct {
	record   *messages.Record // never written to; replaced
	revision uint64
	seen     time.Time // since when it has stood at this revision
	tried    time.Time // when this placer last performed what is due, or looked for a node
	taken    time.Time // when it last took it up because it had stood still
	asked    asking    // of its worker, while it is quiet
	losses   loss      // what was last said of the node it is on
	moves    moving    // off a node that drains

	queued *list.Element // in the index's waiting
	owing  bool          // something is due
}

// still is since when nothing has happened to the record, as far as this placer
// knows, and it has not tried to change that.
func (e *entry) still() time.Time {
	if e.tried.After(e.seen) {
		return e.tried
	}
	return e.seen
}

// records is a copy of the bucket of jobs, fed by its changes and by this
// placer's own writes. Revisions only rise, so the order in which the two come
// does not matter. Beside the records it keeps, so that a look at 100,000 of
// them costs little, which ones need looking at, and which ones a node concerns.
type records struct {
	mu   sync.Mutex
	live map[string]*entry
	// gone is the jobs whose records this placer has deleted itself, with the
	// revision it deleted, until the bucket's changes have come past that.
	gone  map[string]uint64
	heard uint64 // the latest revision of the bucket's changes
	// writing is what this placer is about to write, by job: the bucket's changes
	// may bring it before the write has returned.
	writing map[string]written

	index index
}

func newRecords() *records {
	return &records{live: map[string]*entry{}, gone: map[string]uint64{}, writing: map[string]written{}, index: newIndex()}
}

// written is a record and how it is encoded.
type written struct {
	record *messages.Record
	data   []byte
}

// write notes that a record is about to be written; the func it returns says
// that this is over.
func (r *records) write(job string, rec *messages.Record, data []byte) (over func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writing[job] = written{rec, data}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.writing[job].record == rec {
			delete(r.writing, job)
		}
	}
}

// own is the record in a change of the bucket that this placer made itself, or
// nil; known tells whether the copy has it already, or a newer one. Neither needs
// to be read.
func (r *records) own(e bus.Entry) (rec *messages.Record, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if live := r.live[e.Key]; live != nil && live.revision >= e.Revision || r.gone[e.Key] >= e.Revision {
		return nil, true
	}
	if w, ok := r.writing[e.Key]; ok && bytes.Equal(w.data, e.Value) {
		return w.record, false
	}
	return nil, false
}

// get is the record of a job, if this placer has seen one.
func (r *records) get(job string) (entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.live[job]
	if !ok {
		return entry{}, false
	}
	return *e, true
}

// set takes in a record at a revision, unless a newer one is known.
func (r *records) set(job string, rec *messages.Record, revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if revision <= r.gone[job] {
		return
	}
	now := time.Now()
	e := r.live[job]
	switch {
	case e == nil:
		e = &entry{record: rec, revision: revision, seen: now}
		r.live[job] = e
	case revision > e.revision:
		r.index.remove(e)
		e.record, e.revision, e.seen, e.tried = rec, revision, now, time.Time{}
		e.asked, e.losses = asking{}, loss{}
	default:
		return
	}
	r.index.add(e)
}

// drop forgets a record that was deleted. revision is the deletion's own, or
// that of the record that was deleted.
func (r *records) drop(job string, revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.live[job]; e != nil && e.revision <= revision {
		r.index.remove(e)
		delete(r.live, job)
	}
}

// deleted is drop for a deletion this placer made: a change of the record that
// is still on its way here must not bring it back.
func (r *records) deleted(job string, revision uint64) {
	r.drop(job, revision)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.heard < revision {
		r.gone[job] = revision
	}
}

// hear notes how far the bucket's changes have come. They come in the order of
// their revisions, so what was deleted before is not brought back after.
func (r *records) hear(revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = max(r.heard, revision)
	for job, at := range r.gone {
		if at <= r.heard {
			delete(r.gone, job)
		}
	}
}

// try marks that what is due for the record is being performed now.
func (r *records) try(job string, now time.Time) {
	r.note(job, func(e *entry) { e.tried = now })
}

// note changes what this placer keeps beside a record.
func (r *records) note(job string, change func(*entry)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.live[job]; e != nil {
		change(e)
	}
}

// each gives every live record to do, in no order. It must be quick.
func (r *records) each(do func(*messages.Record)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.live {
		do(e.record)
	}
}

// pick is the records of from for which want is true. r is locked, and want
// must be quick.
func pick(from map[string]*entry, want func(*entry) bool) []entry {
	var out []entry
	for _, e := range from {
		if want(e) {
			out = append(out, *e)
		}
	}
	return out
}

// matching is the live records for which want is true.
func (r *records) matching(want func(*entry) bool) []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return pick(r.live, want)
}

// counts is how many live records there are in each state.
func (r *records) counts() map[messages.State]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := map[messages.State]int{}
	for _, e := range r.live {
		counts[e.record.State]++
	}
	return counts
}

// watchRecords keeps the copy in step with the bucket.
func (p *Placer) watchRecords(ctx context.Context) {
	for change, err := range p.jobs.Watch(ctx) {
		switch {
		case err != nil:
			if ctx.Err() == nil {
				p.log.Warn("the records are not heard just now", "error", err)
			}
		case change.Current:
			p.lookNow()
		case change.Deleted:
			p.records.drop(change.Key, change.Revision)
			p.records.hear(change.Revision)
		default:
			p.noteRecord(change.Entry)
			p.records.hear(change.Revision)
		}
	}
}

// noteRecord takes a record into the copy. One that cannot be read is logged
// and left alone: it may be of a newer version, and is not ours to judge.
func (p *Placer) noteRecord(e bus.Entry) {
	rec, known := p.records.own(e)
	if known {
		return
	}
	if rec != nil {
		p.records.set(e.Key, rec, e.Revision)
		return
	}
	rec, err := decodeRecord(e.Value)
	if err != nil {
		p.log.Error("a record cannot be read", "job", e.Key, "revision", e.Revision, "error", err)
		return
	}
	p.records.set(e.Key, rec, e.Revision)
}

// decodeRecord reads a record that a placer wrote. It is not validated field by
// field: what a placer accepted once must not become unreadable.
func decodeRecord(data []byte) (*messages.Record, error) {
	var rec messages.Record
	if err := json.Unmarshal(data, &rec); err != nil {
		return nil, err
	}
	if rec.V != messages.Version {
		return nil, &messages.Error{Code: messages.CodeUnsupportedVersion, Field: "v", Message: "the record is of a version this build does not speak"}
	}
	return &rec, nil
}
