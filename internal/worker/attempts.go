package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// attempts is what the worker is carrying out, and the room on the node: what
// attempts have reserved, and the containers that are there without one.
type attempts struct {
	total messages.Room

	mu       sync.Mutex
	closed   bool // nothing new that looks for a node
	active   map[journal.Key]*active
	crowd    crowd // of active
	held     map[runtime.ContainerID]holding
	looks    uint64 // at the runtime's containers, begun
	listed   int    // containers that the last look found
	reserved messages.Room
	emptied  chan struct{}    // closed when nothing is being carried out; nil: nobody waits
	turn     map[string]*turn // by job
}

// turn serialises commands about one job.
type turn struct {
	slowLock
	waiting int
}

func newAttempts(total messages.Room) *attempts {
	return &attempts{
		total: total, active: map[journal.Key]*active{},
		held: map[runtime.ContainerID]holding{}, turn: map[string]*turn{},
	}
}

// turnWithin bounds how long a command waits for those about its job before it:
// a runtime that hangs must not gather all that come behind.
const turnWithin = 10 * time.Second

// lock waits for the turn of a job; the func it returns ends it.
func (a *attempts) lock(ctx context.Context, job string) (unlock func(), err error) {
	a.mu.Lock()
	t := a.turn[job]
	if t == nil {
		t = &turn{}
		a.turn[job] = t
	}
	t.waiting++
	a.mu.Unlock()
	leave := func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if t.waiting--; t.waiting == 0 {
			delete(a.turn, job)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, turnWithin)
	defer cancel()
	if !t.lockWithin(ctx) {
		leave()
		return nil, busy(fmt.Sprintf("another command about the job has been at work on this node for %s", turnWithin))
	}
	return func() { t.Unlock(); leave() }, nil
}

// close says whether new work is refused; what goes to a container that is here
// is not new.
func (a *attempts) close(closed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = closed
}

func (a *attempts) isClosed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.closed
}

// resume begins an attempt that was admitted by the worker before this one.
func (a *attempts) resume(at *active) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.active[at.Key()] = at
	a.crowd.add(at, 1)
	a.reserve(needs(at), 1)
}

// admit begins an attempt, or says why not. It looks and takes in one step:
// jobs that come at once do not share the room, and none slips in behind a
// drain. Of two direct ones under one name the second is an error; a placed one
// has its name from the placers, and is only refused where the other one stays.
func (a *attempts) admit(at *active) (*messages.RouteToPeer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at.Job.Op.Places() && a.closed {
		return noNewWork(&at.Job), nil
	}
	switch job, other := a.holder(at); {
	case other == nil:
	case at.Direct:
		return nil, nameHeld(&at.Job, job)
	case !other.leaving():
		return nameHere(&at.Job, job), nil
	}
	if route, err := a.crowd.check(&at.Job); route != nil || err != nil {
		return route, err
	}
	if !a.hasRoom(needs(at)) {
		return noRoom(&at.Job, a.left()), nil
	}
	a.active[at.Key()] = at
	a.crowd.add(at, 1)
	a.reserve(needs(at), 1)
	return nil, nil
}

// drop ends an attempt and frees what it had; or leaves that reserved for the
// container it has made, if it made one that stays.
func (a *attempts) drop(at *active, stays *runtime.ContainerID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.active[at.Key()] != at {
		return
	}
	delete(a.active, at.Key())
	a.crowd.add(at, -1)
	if stays != nil {
		a.hold(*stays, needs(at))
	}
	a.reserve(needs(at), -1)
	if len(a.active) == 0 && a.emptied != nil {
		close(a.emptied)
		a.emptied = nil
	}
}

// awaitNone returns when nothing is being carried out, or ctx ends.
func (a *attempts) awaitNone(ctx context.Context) {
	for {
		a.mu.Lock()
		if len(a.active) == 0 {
			a.mu.Unlock()
			return
		}
		if a.emptied == nil {
			a.emptied = make(chan struct{})
		}
		emptied := a.emptied
		a.mu.Unlock()
		select {
		case <-emptied:
		case <-ctx.Done():
			return
		}
	}
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

// count is how many attempts are being carried out.
func (a *attempts) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.active)
}
