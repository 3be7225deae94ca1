package supervise

import (
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Next is the state machine: how things stand after an event, and what is to be
// done. Every event is legal in every state; when the attempt is over none
// changes anything.
func Next(p Plan, s State, ev Event, now time.Time) (State, []Do) {
	if s.Over {
		return s, nil
	}
	t := turn{plan: &p, State: s, now: now}
	switch ev := ev.(type) {
	case Runs:
		t.runs(ev)
	case Ended:
		t.ended(ev)
	case Checked:
		t.checked(ev)
	case StopAsked:
		t.stopAsked()
	case Taken:
		t.InHand = true
	case LetGo:
		t.letGo()
	case Tick:
		t.tick()
	}
	t.say()
	return t.State, t.todo
}

// turn is one call of Next in progress.
type turn struct {
	State
	plan *Plan
	now  time.Time
	todo []Do
}

func (t *turn) do(d Do) { t.todo = append(t.todo, d) }

func (t *turn) tell(kind messages.EventKind, format string, args ...any) {
	t.do(Tell{Kind: kind, Message: messages.TruncateReason(fmt.Sprintf(format, args...))})
}

func (t *turn) end(err *messages.Error) {
	t.Over, t.Due, t.CheckAt, t.Failure = true, time.Time{}, time.Time{}, err
	t.do(End{Error: err})
}

// runs begins a run, unless it is known.
func (t *turn) runs(ev Runs) {
	if t.Left && (!ev.Gone || !ev.Began.Equal(t.Began)) {
		t.InHand, t.Left = false, false // the op was not cut short of its start
	}
	if t.Up && ev.Began.Equal(t.Began) {
		return
	}
	known := ev.Began.Equal(t.Began) // of a worker before this one
	if !known && !t.Began.IsZero() {
		t.tellRestarted()
	}
	t.Up, t.Since, t.Began, t.Ended, t.Due = true, t.now, ev.Began, time.Time{}, time.Time{}
	t.resetHealth(known)
}

func (t *turn) tellRestarted() {
	if t.Waiting() {
		t.tell(messages.EventRestarted, "restart %d", t.Restarts)
	} else {
		t.tell(messages.EventRestarted, "restarted as asked")
	}
}

// ended ends the run: with another one to come, or the attempt with it.
func (t *turn) ended(ev Ended) {
	if !t.idle() || !t.Up || !ev.Began.Equal(t.Began) {
		return
	}
	cutShort := t.Left
	t.InHand, t.Left = false, false
	t.Up, t.Ended = false, ev.Finished
	t.Status, t.CheckAt = "", time.Time{}
	t.tell(messages.EventExited, "exit code %d (%s)", ev.Code, ev.Reason)
	switch {
	case t.Stopped:
		t.end(nil)
	case cutShort:
		t.Due = t.now // an op has stopped it to start it
	case t.plan.restarts(t.Restarts, ev):
		if t.lasted(ev) >= longEnough {
			t.InARow = 0
		}
		t.Due = t.now.Add(t.plan.delay(t.InARow, t.Restarts))
		t.Restarts++
		t.InARow++
	default:
		t.end(nil)
	}
}

// stopAsked ends a container that waits at once; one that runs is about to end.
func (t *turn) stopAsked() {
	t.Stopped = true
	if t.Waiting() && t.idle() {
		t.end(nil)
	}
}

func (t *turn) letGo() {
	t.InHand, t.Left = false, false
	switch {
	case t.Stopped && t.Waiting():
		t.end(nil)
	case t.Up && t.plan.Check != nil:
		t.CheckAt = t.now
	}
}

func (t *turn) tick() {
	if t.Waiting() && t.idle() && !t.now.Before(t.Due) {
		t.do(Start{})
	}
	if t.Up && !t.CheckAt.IsZero() && !t.now.Before(t.CheckAt) {
		t.CheckAt = time.Time{}
		t.do(Check{})
	}
}

// Wake is when a Tick is next due; zero: not until something happens.
func Wake(p Plan, s State) time.Time {
	var next time.Time
	sooner := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	if s.Over {
		return next
	}
	if s.idle() {
		sooner(s.Due)
	}
	sooner(s.CheckAt)
	if p.Service && s.Said && s.well(&p) != s.Healthy {
		sooner(s.SaidAt.Add(sayEvery))
	}
	return next
}
