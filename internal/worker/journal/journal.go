// Package journal is where a worker keeps what it owes: the attempts it has
// accepted and the outcomes it has still to publish.
//
// It is a port. boltjournal keeps the journal in a file, memjournal in memory.
// A write has happened when the call returns nil: it is durable then, as far as
// the adapter promises durability at all. Every method is safe for concurrent
// use.
//
// A journal has an identity, made with it, and counts how often it was opened.
// Together they are the worker's incarnation: a placer that knows a journal's
// identity can tell whether its command reaches the worker it means, or one
// that has forgotten everything.
package journal

import (
	"errors"
	"strconv"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/supervise"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Phase is how far an attempt has come.
type Phase string

// The phases.
const (
	// PhaseAccepted: nothing that must not be repeated has begun.
	PhaseAccepted Phase = "accepted"
	// PhaseStarting: the container is about to be started, or the step that
	// must not be repeated is about to be taken; it may have been.
	PhaseStarting Phase = "starting"
	// PhaseEnded: the last outcome is written.
	PhaseEnded Phase = "ended"
)

// Attempt is what a worker remembers of one attempt of a job.
type Attempt struct {
	Job         messages.Job      `json:"job"` // with its Attempt
	Fingerprint string            `json:"fingerprint,omitzero"`
	Direct      bool              `json:"direct,omitzero"` // given by a scheduler, not a placer
	Phase       Phase             `json:"phase"`
	Accepted    time.Time         `json:"accepted"`
	Started     time.Time         `json:"started,omitzero"`
	Ended       time.Time         `json:"ended,omitzero"`
	Last        *messages.Outcome `json:"last,omitzero"` // the newest

	// Supervision is how the container of a run is doing: its restarts, and what
	// was said of it.
	Supervision supervise.Record `json:"supervision,omitzero"`
}

// Key identifies an attempt.
type Key struct {
	Job     string
	Attempt uint64
}

// Key is the attempt's identity.
func (a *Attempt) Key() Key { return Key{a.Job.ID, a.Job.Attempt} }

// String is job/attempt.
func (k Key) String() string { return k.Job + "/" + strconv.FormatUint(k.Attempt, 10) }

// Queued is an outcome that waits to be published. Seq is its place in the
// queue.
type Queued struct {
	Seq     uint64
	Outcome messages.Outcome
}

// Settings are what a worker remembers of itself, beside its attempts.
type Settings struct {
	Draining bool `json:"draining,omitzero"` // it takes no new work
}

// ErrNotFound says that the journal has no such attempt.
var ErrNotFound = errors.New("the journal has no such attempt")

// Journal is a worker's memory.
type Journal interface {
	// ID is the journal's identity, a token.
	ID() string
	// Opened is how often the journal has been opened, from 1.
	Opened() uint64
	// Write notes an attempt as it is now and, in the same transaction, puts
	// the outcomes at the end of the queue.
	Write(a Attempt, publish ...messages.Outcome) error
	// Attempt is one attempt of a job, or the newest if attempt is 0.
	Attempt(job string, attempt uint64) (Attempt, error)
	// Open is every attempt that has not ended.
	Open() ([]Attempt, error)
	// Queue is the oldest outcomes in the queue, at most limit.
	Queue(limit int) ([]Queued, error)
	// Sent takes the outcomes up to seq out of the queue.
	Sent(seq uint64) error
	// Settings are the ones Set wrote last, or the zero Settings.
	Settings() (Settings, error)
	// Set writes the settings, durably.
	Set(s Settings) error
	// Forget drops the attempts that ended before the given time.
	Forget(before time.Time) (int, error)
	Close() error
}
