package worker

import (
	"context"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/internal/worker/supervise"
	"github.com/shunt-fleet/shunt/pkg/messages"
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

	volumes []messages.VolumeBytes // as they were saved last; owned by the attempt's goroutine

	running chan struct{} // closed when a service runs
	done    chan struct{} // closed when the last outcome is journaled

	asks chan ask // to whom supervises the container

	mu         sync.Mutex
	cancel     context.CancelCauseFunc // nil before the attempt is being worked on
	givenUp    error
	leaseGrace time.Duration     // when the lease was over: how long the container may take to stop
	stopping   []<-chan struct{} // closed when those who asked for the container's end have seen it
	view       supervise.State   // as it was last
	performed  bool              // what it asks for is done, or given up
}

// leaving tells whether the attempt is about to end.
func (at *active) leaving() bool {
	at.mu.Lock()
	defer at.mu.Unlock()
	return at.performed || at.givenUp != nil || len(at.stopping) > 0
}

// leaves says that what the attempt asks for is done, or given up.
func (at *active) leaves() {
	at.mu.Lock()
	defer at.mu.Unlock()
	at.performed = true
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
