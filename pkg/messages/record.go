package messages

import "time"

// State is where a job stands.
type State string

// The states: four live ones, and six in which a job has ended.
const (
	StatePending    State = "pending"
	StateAssigned   State = "assigned"
	StateRunning    State = "running"
	StateCancelling State = "cancelling"

	StateCompleted   State = "completed"
	StateFailed      State = "failed"
	StateInterrupted State = "interrupted"
	StateLost        State = "lost"
	StateDead        State = "dead"
	StateCancelled   State = "cancelled"
)

// States lists every state, the live ones first.
func States() []State {
	return []State{
		StatePending, StateAssigned, StateRunning, StateCancelling,
		StateCompleted, StateFailed, StateInterrupted, StateLost, StateDead, StateCancelled,
	}
}

// Ended tells whether a job in this state is over.
func (s State) Ended() bool {
	switch s {
	case StatePending, StateAssigned, StateRunning, StateCancelling:
		return false
	}
	return true
}

// Record is what the placers know of a job. Live ones are in the KV bucket of
// jobs; an ended one is published once and then deleted.
type Record struct {
	V       int    `json:"v"`
	Job     Job    `json:"job"`
	State   State  `json:"state"`
	Healthy bool   `json:"healthy,omitzero"` // a service's last word on its health
	Node    string `json:"node,omitzero"`    // of the current attempt
	Attempt uint64 `json:"attempt"`          // rises with every hand-over
	Starts  int    `json:"starts"`           // what MaxAttempts counts
	Reason  string `json:"reason,omitzero"`  // why it waits, or how it ended

	Outcome   *Outcome   `json:"outcome,omitzero"`   // the last that counted
	Successor *Successor `json:"successor,omitzero"` // make-before-break
	Fences    []Fence    `json:"fences,omitzero"`    // revokes still owed

	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	History []History `json:"history,omitzero"`

	// HistoryDropped counts the events that MaxHistory has pushed out of the
	// middle of History.
	HistoryDropped int `json:"history_dropped,omitzero"`

	// Fingerprint of the Job as it was submitted, so that the same id again
	// can be told from another job under that id.
	Fingerprint string `json:"fingerprint,omitzero"`

	// Platforms is what a refusal said the image is made for, when the Job
	// itself does not say; any one of them will do.
	Platforms []Platform `json:"platforms,omitzero"`

	// Journal is the one that Node's worker kept when the attempt was placed;
	// its commands are for that journal and no other.
	Journal string `json:"journal,omitzero"`

	// NotBefore is the earliest next placement, after a backoff.
	NotBefore time.Time `json:"not_before,omitzero"`

	// Highest is the highest attempt ever handed over, where that is above
	// Attempt: a successor that was dropped leaves its number behind.
	Highest uint64 `json:"highest,omitzero"`

	// Ending is how a job that is being cancelled ends once its node has let
	// go of it: cancelled, or dead when its deadline was over.
	Ending State `json:"ending,omitzero"`

	// HealthySince is when a service was last found healthy after it was not.
	HealthySince time.Time `json:"healthy_since,omitzero"`

	// Retries is how often the job was retried after it had ended; each life
	// has a last word of its own.
	Retries int `json:"retries,omitzero"`

	// Order is where a job on a container, or one that takes a name over, stood in
	// intake: such jobs keep that order, and of those that want one name the last
	// gets it.
	Order uint64 `json:"order,omitzero"`

	// Cancelled is where the last cancel from intake stood that was carried out:
	// a repeat of it is not about a later life.
	Cancelled uint64 `json:"cancelled,omitzero"`

	// Named says that the job holds the claim on its container's name.
	Named bool `json:"named,omitzero"`
	// Replaces is the job whose name this one takes over (args.replace), until that
	// is known to have ended.
	Replaces *Replaced `json:"replaces,omitzero"`
	// Home is the node that has the job's local volumes, since an attempt was
	// started there.
	Home Home `json:"home,omitzero"`
}

// Home is where the local volumes of a job are.
type Home struct {
	Node    string `json:"node"`
	Attempt uint64 `json:"attempt"` // the first that was started there
}

// Replaced is the job whose name another one takes over.
type Replaced struct {
	Job  string `json:"job"`
	Node string `json:"node,omitzero"` // that had its container when that was last looked at
	// Life is how often that job had been retried: a later life of it is not
	// what is replaced.
	Life int `json:"life,omitzero"`
}

// Successor is the attempt that takes over from a draining node.
type Successor struct {
	Node     string `json:"node"`
	Attempt  uint64 `json:"attempt"`
	Journal  string `json:"journal,omitzero"`  // as Record.Journal, for this attempt
	Accepted bool   `json:"accepted,omitzero"` // its node has taken it on
}

// Fence is a revoke owed to a node for its attempts up to Attempt.
type Fence struct {
	Node    string `json:"node"`
	Attempt uint64 `json:"attempt"`

	// Expired says that the node's lease was over when it was declared lost: it
	// has stopped the attempt by itself, if the job asks for that.
	Expired bool `json:"expired,omitzero"`
}

// LastAttempt is the highest attempt ever handed over.
func (r *Record) LastAttempt() uint64 { return max(r.Attempt, r.Highest) }

// History is one event of a job's life.
type History struct {
	At      time.Time `json:"at"`
	Node    string    `json:"node,omitzero"`
	Attempt uint64    `json:"attempt,omitzero"`
	Event   string    `json:"event"`
	Code    string    `json:"code,omitzero"`
	Reason  string    `json:"reason,omitzero"`
}

// Remember adds an event to the history. Beyond MaxHistory the middle goes
// first, counted: how a job began and what happened last are what people read.
func (r *Record) Remember(h History) {
	h.Reason = TruncateReason(h.Reason)
	history := append(append([]History(nil), r.History...), h)
	if extra := len(history) - MaxHistory; extra > 0 {
		keep := MaxHistory / 4
		history = append(history[:keep:keep], history[keep+extra:]...)
		r.HistoryDropped += extra
	}
	r.History = history
}

// NameClaim is the value of a key in the bucket of names: which live job holds
// the name `<service>.<replica>`.
type NameClaim struct {
	Job string `json:"job"`
	// Next is the job that takes the name over when it is up (args.replace).
	Next string `json:"next,omitzero"`
}

// Cancel asks for the end of a job; its id is in the subject.
type Cancel struct {
	V      int    `json:"v"`
	Reason string `json:"reason,omitzero"`
}
