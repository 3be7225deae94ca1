package checker

import (
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Kind is what an Event says. The comments name the fields it has, beside At.
type Kind string

// The kinds.
const (
	// Submitted: Job, Body; Node when it was given to that node directly. One
	// for each time it was sent.
	Submitted Kind = "submitted"
	// Acknowledged: Job. The bus or, for a direct command, the worker has
	// said that it has one of the submissions.
	Acknowledged Kind = "acknowledged"
	// CancelAsked: Job. At is before it was sent.
	CancelAsked Kind = "cancel_asked"
	// RetryAsked: Job, which had ended. At is before it was sent.
	RetryAsked Kind = "retry_asked"
	// StopAsked: Job, whose container some other job or a person means to stop,
	// restart, kill or remove.
	StopAsked Kind = "stop_asked"

	// Started: Job, Attempt, Node, Container. A container's program was
	// started. Container tells it from every other one on Node; the same one
	// started again is a restart.
	Started Kind = "started"
	// Ended: Node, Container, ExitCode (above 128: by a signal); Cause, if it
	// is one of the causes below.
	Ended Kind = "ended"
	// Exec: Job, Node, Container. An exec was really carried out. Attempt, if
	// the harness knows it.
	Exec Kind = "exec"

	// OutcomeSaid: Outcome, from the stream of outcomes.
	OutcomeSaid Kind = "outcome"
	// LastWord: Record, Sequence, from the stream of last words.
	LastWord Kind = "last_word"

	// NodeAway and NodeBack: Node, Note. Its worker was killed or paused, or it
	// was cut off; it answers again.
	NodeAway Kind = "node_away"
	NodeBack Kind = "node_back"
	// BusAway and BusBack: Note.
	BusAway Kind = "bus_away"
	BusBack Kind = "bus_back"
	// PlacerAway and PlacerBack: Node is the placer, Note.
	PlacerAway Kind = "placer_away"
	PlacerBack Kind = "placer_back"
	// DrainAsked and UndrainAsked: Node.
	DrainAsked   Kind = "drain_asked"
	UndrainAsked Kind = "undrain_asked"

	// End: Live, the records that remain. It is the last event.
	End Kind = "end"
)

// The causes of an end that cannot be seen from its exit code.
const (
	// CauseHarness: the harness killed the container, or the machine with it.
	CauseHarness = "harness"
	// CauseOwn: the program ended so by itself, or by its own limits.
	CauseOwn = "own"
)

// Event is one thing that happened.
type Event struct {
	At   time.Time `json:"at"`
	Kind Kind      `json:"kind"`

	Job       string `json:"job,omitzero"`
	Attempt   uint64 `json:"attempt,omitzero"`
	Node      string `json:"node,omitzero"`
	Container string `json:"container,omitzero"`
	ExitCode  *int   `json:"exit_code,omitzero"`
	Cause     string `json:"cause,omitzero"`
	Note      string `json:"note,omitzero"` // for people

	Body     *messages.Job     `json:"body,omitzero"`
	Outcome  *messages.Outcome `json:"outcome,omitzero"`
	Record   *messages.Record  `json:"record,omitzero"`
	Sequence uint64            `json:"sequence,omitzero"` // in its stream
	Live     []messages.Record `json:"live,omitzero"`
}

// kinds are all of them, to tell a slip from an event.
var kinds = map[Kind]bool{
	Submitted: true, Acknowledged: true, CancelAsked: true, RetryAsked: true, StopAsked: true,
	Started: true, Ended: true, Exec: true, OutcomeSaid: true, LastWord: true,
	NodeAway: true, NodeBack: true, BusAway: true, BusBack: true, PlacerAway: true, PlacerBack: true,
	DrainAsked: true, UndrainAsked: true, End: true,
}

// job is the job an event is about, or "".
func (e *Event) job() string {
	switch {
	case e.Outcome != nil:
		return e.Outcome.Job
	case e.Record != nil:
		return e.Record.Job.ID
	}
	return e.Job
}
