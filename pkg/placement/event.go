package placement

import "github.com/shunt-fleet/shunt/pkg/messages"

// Event is something that happened to a job.
type Event interface{ event() }

// Submitted is a job from intake. Fingerprint is of the bytes that came. Holder
// is the other live job that holds the name of the job's container, if there is
// one; it need not be looked up when the job needs no name (see NeedsName) or
// has a record.
type Submitted struct {
	Job         messages.Job
	Fingerprint string
	Holder      string
	Order       uint64 // where the job stood in intake
}

// Claimed says who holds the claim on the name of the job's container after the
// effect Claim was performed: this job, or another live one.
type Claimed struct {
	Holder string
	// Next is the job that is to take the name over from the holder: this one, if
	// it may, or another live one that was there before it.
	Next string
	// Other is the record of the job in the way: of Next, if that is another one,
	// else of Holder.
	Other *messages.Record
}

// Replaced asks for the end of a life of the job because another job takes its
// name over. Next is of one that was to have the name next: it is left alone if
// it has it by now.
type Replaced struct {
	By   string
	Life int
	Next bool
}

// Superseded says that a life of the job whose name this one took over is over.
type Superseded struct {
	Job  string
	Life int
}

// Located says where the container is that the job works on, after the effect
// Locate was performed: on Nodes, as far as nodes have said; Silent have not. Wait
// is why it is not to be looked for yet; "": it was.
type Located struct {
	Nodes, Silent []string
	Wait          string
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

// NodeLost says that a node is judged lost: it will not report on the attempts
// it had, or not before it is back.
type NodeLost struct {
	Node   string
	Reason string // for people
	// Journal limits the event to the attempts that were placed with that
	// journal: the node is there again, and has forgotten them. "": all.
	Journal string
	// LeaseOver says that the node's lease has been declared over: what it ran
	// for jobs with `on_partition: stop` it has stopped by itself.
	LeaseOver bool

	forgotten bool // it is a NodeForgotten: there is nothing to wait for
}

// NodeForgotten says that an operator has declared a node to be gone for good:
// nothing is owed to it any more.
type NodeForgotten struct{ Node string }

// Vacate says that a node drains, and that it is this job's turn to leave it.
type Vacate struct{ Node string }

// CancelAsked asks for the end of the job. Order is where it stood in intake, 0
// if it did not come that way.
type CancelAsked struct {
	Reason string
	Order  uint64
}

// RetryAsked asks for another life of a job that has ended badly, or for an end
// of its waiting.
type RetryAsked struct {
	Reason string
	Holder string // the other live job that holds the name this one needs; "": none
}

// Tick says that time has passed, or that the peers have changed.
type Tick struct{}

func (Submitted) event()     {}
func (Claimed) event()       {}
func (Replaced) event()      {}
func (Superseded) event()    {}
func (Located) event()       {}
func (Reported) event()      {}
func (Unheard) event()       {}
func (NodeLost) event()      {}
func (NodeForgotten) event() {}
func (Vacate) event()        {}
func (CancelAsked) event()   {}
func (RetryAsked) event()    {}
func (Tick) event()          {}

// Effect is something to be done once the record is written. Effects are
// performed in the order in which they are given.
type Effect interface{ effect() }

// Claim claims the name of the job's container; the answer comes back as a
// Claimed. A claim held by a job that has no live record is taken over, and so,
// with Take, is the one of the live job that this one replaces.
type Claim struct{ Take bool }

// Locate finds out which node holds the container that the job works on, and
// whether it is the job's turn; the answer comes back as a Located.
type Locate struct{}

// Supersede asks for the end of a life of another job that has the name, had it, or
// is to have it next: it is given a Replaced. That this life is over comes back as
// a Superseded.
type Supersede struct {
	Job  string
	Life int
	Next bool
}

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

// Finish publishes the ended record, as the last word on this life of the job,
// unless it has been said, and lets go of its name.
type Finish struct{}

// Delete deletes the record at its revision: nothing is owed any more.
type Delete struct{}

// Repeat publishes the ended record again, for a scheduler that asks again.
type Repeat struct{}

// Reject answers whoever asked for what cannot be done; the record, if there is
// one, stays as it is.
type Reject struct{ Error messages.Error }

// Tell is an event for whoever listens; it may be lost.
type Tell struct {
	Kind    messages.EventKind
	Message string
}

func (Claim) effect()     {}
func (Locate) effect()    {}
func (Supersede) effect() {}
func (Command) effect()   {}
func (Revoke) effect()    {}
func (Finish) effect()    {}
func (Delete) effect()    {}
func (Repeat) effect()    {}
func (Reject) effect()    {}
func (Tell) effect()      {}

// Due is what a record by itself asks for, in order. Whoever finds a record
// that has stood still performs it; doing it twice does no harm.
func Due(r *messages.Record) []Effect {
	var due []Effect
	for _, f := range r.Fences {
		due = append(due, Revoke{f.Node, f.Attempt})
	}
	switch {
	case r.State == messages.StatePending && NeedsName(&r.Job) && !r.Named:
		due = append(due, Claim{})
	case r.State == messages.StatePending && NeedsHolder(&r.Job):
		due = append(due, Locate{})
	case r.State == messages.StateAssigned:
		due = append(due, Command{r.Node, r.Attempt})
	case r.State == messages.StateCancelling:
		due = append(due, Revoke{r.Node, r.Attempt})
	case r.State == messages.StateRunning && r.Healthy && r.Replaces != nil && !r.Named:
		due = append(due, Claim{Take: true})
	case r.State.Ended():
		due = append(due, Finish{})
		if Settled(r) {
			due = append(due, Delete{})
		}
	}
	if owesEnd(r) {
		due = append(due, Supersede{Job: r.Replaces.Job, Life: r.Replaces.Life})
	}
	if s := r.Successor; s != nil && !s.Accepted {
		due = append(due, Command{s.Node, s.Attempt})
	}
	return due
}

// Settled tells whether nothing is owed any more: no revoke, and no end of a job
// that was replaced.
func Settled(r *messages.Record) bool { return len(r.Fences) == 0 && !owesEnd(r) }

// NeedsName tells whether a job must hold the claim on its container's name
// before it is placed. A task named after its job needs none: nobody else would
// ask for that name.
func NeedsName(j *messages.Job) bool {
	if j.Op != messages.OpRun && j.Op != messages.OpCreate {
		return false
	}
	own := j.EffectiveService() == j.ID && j.Replica == 0
	return j.EffectiveKind() != messages.KindTask || !own
}

// Concerns is every node whose loss would change something about the job: the
// ones that hold an attempt, and the ones it waits for.
func Concerns(r *messages.Record) []string {
	var nodes []string
	switch r.State {
	case messages.StateAssigned, messages.StateRunning, messages.StateCancelling:
		nodes = append(nodes, r.Node)
	}
	if r.Successor != nil {
		nodes = append(nodes, r.Successor.Node)
	}
	for _, f := range r.Fences {
		if !f.Expired && OneAtATime(&r.Job) && !r.State.Ended() {
			nodes = append(nodes, f.Node)
		}
	}
	if r.State == messages.StatePending && r.Home.Node != "" {
		nodes = append(nodes, r.Home.Node)
	}
	return nodes
}

// Stops tells whether the job's node stops it when it is cut off, so that it
// never runs twice at once, and moves only after that.
func Stops(j *messages.Job) bool { return j.Policy.OnPartition == messages.PartitionStop }
