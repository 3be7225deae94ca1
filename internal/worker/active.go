package worker

import (
	"context"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// active is an attempt that this worker is carrying out.
type active struct {
	journal.Attempt // as last journaled; owned by the attempt's goroutine

	// decided is where admission found that the container is to run; nil when
	// that is not known, or no longer new. Owned by the attempt's goroutine.
	decided *runtime.Decision

	makes *runtime.ContainerID // the container that the attempt makes, or nil; never changes
	place *place               // in its container's line; nil: in none

	running chan struct{} // closed when a service runs
	done    chan struct{} // closed when the last outcome is journaled

	mu         sync.Mutex
	cancel     context.CancelCauseFunc // nil before the attempt is being worked on
	givenUp    error
	leaseGrace time.Duration // when the lease was over: how long the container may take to stop
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
	if at.givenUp == nil {
		at.givenUp = cause
	}
	if at.cancel != nil {
		at.cancel(cause)
	}
}

// cutOff ends the work on the attempt because the lease runs out.
func (at *active) cutOff(grace time.Duration) {
	at.mu.Lock()
	at.leaseGrace = grace
	at.mu.Unlock()
	at.giveUp(errLeaseOver)
}

// graceCutOff is how long the container may take to stop after that.
func (at *active) graceCutOff() time.Duration {
	at.mu.Lock()
	defer at.mu.Unlock()
	return at.leaseGrace
}

// grace is how long the attempt's container may take to stop; negative leaves
// it to the container's own settings.
func (at *active) grace() time.Duration {
	if at.Job.Spec == nil || at.Job.Spec.StopGrace == 0 {
		return -1
	}
	return at.Job.Spec.StopGrace.Std()
}
