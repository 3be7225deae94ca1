package worker

import (
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// holding is the room of a container that is here without an attempt: one that
// was only created, or one that the journal does not know.
type holding struct {
	needs messages.Resources
	look  uint64 // the last one that had begun when it was noted
}

// needs is what an attempt reserves.
func needs(at *active) messages.Resources {
	if at.Job.Spec == nil || !at.Job.Op.Places() {
		return messages.Resources{}
	}
	return at.Job.Spec.Resources
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

func (a *attempts) reserve(r messages.Resources, sign int64) {
	a.reserved.CPUMilli += sign * r.CPUMilli
	a.reserved.Memory += sign * r.Memory
	a.reserved.PIDs += sign * r.PIDs
	a.reserved.GPU += sign * r.GPU
}

// hold reserves for a container, in place of what was held for it before.
func (a *attempts) hold(id runtime.ContainerID, needs messages.Resources) {
	a.letGo(id)
	a.held[id] = holding{needs: needs, look: a.looks}
	a.reserve(needs, 1)
}

func (a *attempts) letGo(id runtime.ContainerID) {
	if h, ok := a.held[id]; ok {
		delete(a.held, id)
		a.reserve(h.needs, -1)
	}
}

// release frees what is held for a container that is gone.
func (a *attempts) release(id runtime.ContainerID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.letGo(id)
}

// isHeld tells whether room is held for a container.
func (a *attempts) isHeld(id runtime.ContainerID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.held[id]
	return ok
}

// look begins a look at the runtime's containers.
func (a *attempts) look() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.looks++
	return a.looks
}

// saw notes what a look has found: how many containers there are, and those for
// which room is to be held from now on. Holdings of what is no longer there are
// freed, but for those noted since the look began.
func (a *attempts) saw(look uint64, there map[runtime.ContainerID]bool, more map[runtime.ContainerID]messages.Resources) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.listed = len(there)
	for id, h := range a.held {
		if !there[id] && h.look < look {
			a.letGo(id)
		}
	}
	for id, needs := range more {
		if _, known := a.held[id]; !known {
			a.hold(id, needs)
		}
	}
}

// containers is how many containers the node holds, as of the last look.
func (a *attempts) containers() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(a.listed, len(a.held))
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
