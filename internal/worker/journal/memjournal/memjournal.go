// Package memjournal keeps a worker's journal in memory: for a worker whose
// runtime forgets its containers with the process too, and for tests.
package memjournal

import (
	"cmp"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Journal is a journal in memory. Closing it keeps what it holds, and Reopen
// opens it again, as a restart of the worker would.
type Journal struct {
	id string

	mu       sync.Mutex
	opened   uint64
	attempts map[journal.Key]journal.Attempt
	newest   map[string]uint64
	queue    []journal.Queued
	next     uint64
}

var _ journal.Journal = (*Journal)(nil)

// New makes an empty journal with an identity of its own.
func New() *Journal {
	return &Journal{
		id:       rand.Text(),
		opened:   1,
		attempts: map[journal.Key]journal.Attempt{},
		newest:   map[string]uint64{},
	}
}

// Reopen counts another opening.
func (j *Journal) Reopen() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.opened++
}

// ID is the journal's identity.
func (j *Journal) ID() string { return j.id }

// Opened is how often the journal has been opened.
func (j *Journal) Opened() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.opened
}

// Write notes an attempt and queues outcomes.
func (j *Journal) Write(a journal.Attempt, publish ...messages.Outcome) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.attempts[a.Key()] = a
	j.newest[a.Job.ID] = max(j.newest[a.Job.ID], a.Job.Attempt)
	for _, o := range publish {
		j.next++
		j.queue = append(j.queue, journal.Queued{Seq: j.next, Outcome: o})
	}
	return nil
}

// Attempt is one attempt, or the newest.
func (j *Journal) Attempt(job string, attempt uint64) (journal.Attempt, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if attempt == 0 {
		attempt = j.newest[job]
	}
	a, ok := j.attempts[journal.Key{Job: job, Attempt: attempt}]
	if !ok {
		return journal.Attempt{}, journal.ErrNotFound
	}
	return a, nil
}

// Open is every attempt that has not ended, the oldest first.
func (j *Journal) Open() ([]journal.Attempt, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var open []journal.Attempt
	for _, a := range j.attempts {
		if a.Phase != journal.PhaseEnded {
			open = append(open, a)
		}
	}
	slices.SortFunc(open, func(a, b journal.Attempt) int {
		return cmp.Or(a.Accepted.Compare(b.Accepted), cmp.Compare(a.Job.ID, b.Job.ID))
	})
	return open, nil
}

// Queue is the oldest outcomes that wait.
func (j *Journal) Queue(limit int) ([]journal.Queued, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.queue[:min(limit, len(j.queue))]), nil
}

// Sent takes outcomes out of the queue.
func (j *Journal) Sent(seq uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := 0
	for i < len(j.queue) && j.queue[i].Seq <= seq {
		i++
	}
	j.queue = slices.Delete(j.queue, 0, i)
	return nil
}

// Forget drops old attempts.
func (j *Journal) Forget(before time.Time) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	dropped := 0
	for k, a := range j.attempts {
		if a.Phase == journal.PhaseEnded && a.Ended.Before(before) {
			delete(j.attempts, k)
			dropped++
		}
	}
	clear(j.newest)
	for k := range j.attempts {
		j.newest[k.Job] = max(j.newest[k.Job], k.Attempt)
	}
	return dropped, nil
}

// Close does nothing.
func (j *Journal) Close() error { return nil }
