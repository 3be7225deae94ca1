package supervise

import (
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Event is something that happened to the container, or was asked for.
type Event interface{ event() }

// Runs says that the container was started, or was found to have been, at Began
// by the runtime's clock. Gone says that it does not run any more; an Ended will
// tell how it ended.
type Runs struct {
	Began time.Time
	Gone  bool
}

// Ended says how the run that began at Began ended.
type Ended struct {
	Began, Finished time.Time // Finished may be unknown
	Code            int
	Reason          messages.ExitReason
}

// Checked says what a check of the run found. Void is one that could not be made.
type Checked struct {
	Began   time.Time
	Healthy bool
	Output  string
	Void    bool
}

// StopAsked says that somebody wants the container's end.
type StopAsked struct{}

// Taken says that an op takes the container in hand: from now on its ends and
// starts are the op's.
type Taken struct{}

// LetGo says that the op is done with it. What it left is told by Runs.
type LetGo struct{}

// Tick says that time has passed.
type Tick struct{}

func (Runs) event()      {}
func (Ended) event()     {}
func (Checked) event()   {}
func (StopAsked) event() {}
func (Taken) event()     {}
func (LetGo) event()     {}
func (Tick) event()      {}

// Do is something to be done, after the Record has been journaled and in the
// order given.
type Do interface{ do() }

// Start starts the container again, unless it has been already. Runs follows.
type Start struct{}

// Check makes the health check once. Checked follows.
type Check struct{}

// Say publishes an outcome: the service runs, healthy or not.
type Say struct{ Healthy bool }

// Tell publishes an event for whoever listens.
type Tell struct {
	Kind    messages.EventKind
	Message string
}

// End ends the attempt: as the container's last exit says, or with an error,
// while the container may run yet.
type End struct{ Error *messages.Error }

func (Start) do() {}
func (Check) do() {}
func (Say) do()   {}
func (Tell) do()  {}
func (End) do()   {}
