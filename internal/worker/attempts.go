package worker

import (
	"context"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// active is an attempt that this worker is carrying out.
type active struct {
	journal.Attempt // as last journaled; owned by the attempt's goroutine

	// decided is where admission found that the container is to run; nil when
	// that is not known, or no longer new. Owned by the attempt's goroutine.
	decided *runtime.Decision

	running chan struct{} // closed when a service runs
	done    chan struct{} // closed when the last outcome is journaled

	mu         sync.Mutex
	cancel     context.CancelCauseFunc // nil before the attempt is being worked on
	givenUp    error
	stopped    bool          // somebody asked for the container's end
	stopping   chan struct{} // closed when that one has seen it; nil: nobody asked
	restarts   int           // that have begun
	restarting chan struct{} // closed when the last one is over; nil: there was none
}

// stopAsked notes that the container's end was asked for, so that it is no
// failure of a service. Until the func it returns is called the container is
// not tidied away: whoever asked wants to see how it ended.
func (at *active) stopAsked() (seen func()) {
	at.mu.Lock()
	defer at.mu.Unlock()
	done := make(chan struct{})
	at.stopped, at.stopping = true, done
	return func() { close(done) }
}

// stopSeen is closed when whoever asked for the container's end has seen it;
// nil when nobody has asked.
func (at *active) stopSeen() <-chan struct{} {
	at.mu.Lock()
	defer at.mu.Unlock()
	return at.stopping
}

// wasStopped tells whether the container's end was asked for.
func (at *active) wasStopped() bool {
	at.mu.Lock()
	defer at.mu.Unlock()
	return at.stopped
}

// beginRestart notes that the container is about to end and to start again; the
// func it returns says that this is over.
func (at *active) beginRestart() (over func()) {
	at.mu.Lock()
	defer at.mu.Unlock()
	done := make(chan struct{})
	at.restarts++
	at.restarting = done
	return func() { close(done) }
}

// restarted is how many restarts have begun, and what is closed when the last
// of them is over.
func (at *active) restarted() (begun int, over <-chan struct{}) {
	at.mu.Lock()
	defer at.mu.Unlock()
	return at.restarts, at.restarting
}

// setCancel says how to give the attempt up; it may have been given up already.
func (at *active) setCancel(cancel context.CancelCauseFunc) {
	at.mu.Lock()
	defer at.mu.Unlock()
	at.cancel = cancel
	if at.givenUp != nil {
		cancel(at.givenUp)
	}
}

// giveUp ends the work on the attempt.
func (at *active) giveUp(cause error) {
	at.mu.Lock()
	defer at.mu.Unlock()
	at.givenUp = cause
	if at.cancel != nil {
		at.cancel(cause)
	}
}

// grace is how long the attempt's container may take to stop; negative leaves
// it to the container's own settings.
func (at *active) grace() time.Duration {
	if at.Job.Spec == nil || at.Job.Spec.StopGrace == 0 {
		return -1
	}
	return at.Job.Spec.StopGrace.Std()
}

// attempts is what the worker is carrying out, and the room that takes.
type attempts struct {
	total messages.Room

	mu       sync.Mutex
	active   map[journal.Key]*active
	reserved messages.Room
	turn     map[string]*turn // by job
}

// turn serialises commands about one job.
type turn struct {
	sync.Mutex
	waiting int
}

func newAttempts(total messages.Room) *attempts {
	return &attempts{total: total, active: map[journal.Key]*active{}, turn: map[string]*turn{}}
}

// lock waits for the turn of a job; the func it returns ends it.
func (a *attempts) lock(job string) (unlock func()) {
	a.mu.Lock()
	t := a.turn[job]
	if t == nil {
		t = &turn{}
		a.turn[job] = t
	}
	t.waiting++
	a.mu.Unlock()
	t.Lock()
	return func() {
		t.Unlock()
		a.mu.Lock()
		defer a.mu.Unlock()
		if t.waiting--; t.waiting == 0 {
			delete(a.turn, job)
		}
	}
}

// add begins an attempt and reserves what it asks for.
func (a *attempts) add(at *active) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.active[at.Key()] = at
	a.reserve(at, 1)
}

// addIfRoom is add, if what is left has room for it; else it tells what is
// left. The two are one step: jobs that come at once do not share the room.
func (a *attempts) addIfRoom(at *active) (free messages.Room, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at.Job.Spec != nil && at.Job.Op.Places() && !a.hasRoom(at.Job.Spec.Resources) {
		return a.left(), false
	}
	a.active[at.Key()] = at
	a.reserve(at, 1)
	return messages.Room{}, true
}

// hasRoom tells whether what is left would do. What the node counts as none in
// all it does not limit; but it has no GPUs without saying so.
func (a *attempts) hasRoom(want messages.Resources) bool {
	fits := func(want, total, reserved int64) bool { return want == 0 || want <= total-reserved }
	t, r := a.total, a.reserved
	return (t.CPUMilli == 0 || fits(want.CPUMilli, t.CPUMilli, r.CPUMilli)) &&
		(t.Memory == 0 || fits(want.Memory, t.Memory, r.Memory)) &&
		(t.PIDs == 0 || fits(want.PIDs, t.PIDs, r.PIDs)) &&
		fits(want.GPU, t.GPU, r.GPU)
}

// drop ends an attempt and frees what it had.
func (a *attempts) drop(at *active) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.active, at.Key())
	a.reserve(at, -1)
}

func (a *attempts) reserve(at *active, sign int64) {
	if at.Job.Spec == nil || !at.Job.Op.Places() {
		return
	}
	r := at.Job.Spec.Resources
	a.reserved.CPUMilli += sign * r.CPUMilli
	a.reserved.Memory += sign * r.Memory
	a.reserved.PIDs += sign * r.PIDs
	a.reserved.GPU += sign * r.GPU
}

// get is an attempt that is being carried out, or nil.
func (a *attempts) get(k journal.Key) *active {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.active[k]
}

// ofJob is every attempt of a job, up to the one given, that is being carried
// out.
func (a *attempts) ofJob(job string, upTo uint64) []*active {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []*active
	for k, at := range a.active {
		if k.Job == job && k.Attempt <= upTo {
			found = append(found, at)
		}
	}
	return found
}

// free is what is left to hand out.
func (a *attempts) free() messages.Room {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.left()
}

func (a *attempts) left() messages.Room {
	return messages.Room{
		CPUMilli: max(0, a.total.CPUMilli-a.reserved.CPUMilli),
		Memory:   max(0, a.total.Memory-a.reserved.Memory),
		PIDs:     max(0, a.total.PIDs-a.reserved.PIDs),
		GPU:      max(0, a.total.GPU-a.reserved.GPU),
	}
}

// count is how many attempts are being carried out.
func (a *attempts) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.active)
}
