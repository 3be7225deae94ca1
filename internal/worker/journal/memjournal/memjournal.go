// Package memjournal keeps a worker's journal in memory: for a worker whose
// runtime forgets its containers with the process too, and for tests.
package memjournal

import (
	"cmp"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// ErrCrashed answers what the crash of the worker cut off.
var ErrCrashed = errors.New("the worker has crashed")

// Journal is a journal in memory. Closing it keeps what it holds, and Reopen
// opens it again, as a restart of the worker would.
//
// It keeps a write as a disk does: what was handed over is there once it is
// synced, which is when the call returns. Crash forgets what was not.
type Journal struct {
	id string

	mu       sync.Mutex
	sync     func() // stands for the disk's sync; nil: it takes no time
	life     uint64 // ends with each crash
	crashed  bool
	settings journal.Settings
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

// OnSync calls f whenever a write has been handed over and is not yet synced;
// when f returns it is. A worker that crashes meanwhile has lost it.
func (j *Journal) OnSync(f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sync = f
}

// Crash is what a sudden end of the worker's process, or of its machine, does:
// what is not synced is lost, and until Reopen nothing is written any more.
func (j *Journal) Crash() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.life++
	j.crashed = true
}

// Reopen counts another opening.
func (j *Journal) Reopen() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.opened++
	j.crashed = false
}

// write hands a write over, syncs it, and returns once it is there.
func (j *Journal) write(apply func()) error {
	j.mu.Lock()
	life, sync := j.life, j.sync
	j.mu.Unlock()
	if sync != nil {
		sync()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.crashed || j.life != life {
		return ErrCrashed
	}
	apply()
	return nil
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
	return j.write(func() {
		j.attempts[a.Key()] = a
		j.newest[a.Job.ID] = max(j.newest[a.Job.ID], a.Job.Attempt)
		for _, o := range publish {
			j.next++
			j.queue = append(j.queue, journal.Queued{Seq: j.next, Outcome: o})
		}
	})
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
	return j.write(func() {
		i := 0
		for i < len(j.queue) && j.queue[i].Seq <= seq {
			i++
		}
		j.queue = slices.Delete(j.queue, 0, i)
	})
}

// Settings are the ones that were written last.
func (j *Journal) Settings() (journal.Settings, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.settings, nil
}

// Set writes the settings.
func (j *Journal) Set(s journal.Settings) error {
	return j.write(func() { j.settings = s })
}

// Forget drops old attempts.
func (j *Journal) Forget(before time.Time) (dropped int, err error) {
	err = j.write(func() {
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
	})
	return dropped, err
}

// Close does nothing.
func (j *Journal) Close() error { return nil }
