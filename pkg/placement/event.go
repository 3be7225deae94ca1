package placement

import "github.com/shunt-fleet/shunt/pkg/messages"

// Event is something that happened to a job.
type Event interface{ event() }

// Submitted is a job from intake. Fingerprint is of the bytes that came.
type Submitted struct {
	Job         messages.Job
	Fingerprint string
}

// Reported is what a worker said: the reply to a command, or an outcome from
// the stream. The same one may come twice, and late.
type Reported struct{ Outcome messages.Outcome }

// Unheard says that the first command of an attempt found nobody listening, so
// it was surely never heard. A later one that finds nobody proves nothing.
type Unheard struct {
	Node    string
	Attempt uint64
}

// CancelAsked asks for the end of the job.
type CancelAsked struct{ Reason string }

// Tick says that time has passed, or that the peers have changed.
type Tick struct{}

func (Submitted) event()   {}
func (Reported) event()    {}
func (Unheard) event()     {}
func (CancelAsked) event() {}
func (Tick) event()        {}

// Effect is something to be done once the record is written.
type Effect interface{ effect() }

// Command sends the record's job to the node. The answer comes back as a
// Reported; without one it is sent again, to the same node, as the same attempt.
type Command struct {
	Node    string
	Attempt uint64
}

// Revoke tells a node to stop, remove and fence the job's attempts up to
// Attempt. It is owed until the node has confirmed it.
type Revoke struct {
	Node    string
	Attempt uint64
}

// Finish publishes the ended record, as the last word on the job, and then
// deletes it at its revision.
type Finish struct{}

// Repeat publishes the ended record again, for a scheduler that asks again.
type Repeat struct{}

// Reject answers a job that cannot be taken; there is no record of it.
type Reject struct{ Error messages.Error }

// Tell is an event for whoever listens; it may be lost.
type Tell struct {
	Kind    messages.EventKind
	Message string
}

func (Command) effect() {}
func (Revoke) effect()  {}
func (Finish) effect()  {}
func (Repeat) effect()  {}
func (Reject) effect()  {}
func (Tell) effect()    {}

// Due is what a record by itself asks for. Whoever finds a record that has
// stood still performs it; doing it twice does no harm.
func Due(r *messages.Record) []Effect {
	var due []Effect
	for _, f := range r.Fences {
		due = append(due, Revoke(f))
	}
	switch {
	case r.State == messages.StateAssigned:
		due = append(due, Command{r.Node, r.Attempt})
	case r.State == messages.StateCancelling:
		due = append(due, Revoke{r.Node, r.Attempt})
	case r.State.Ended() && len(r.Fences) == 0:
		due = append(due, Finish{})
	}
	return due
}
