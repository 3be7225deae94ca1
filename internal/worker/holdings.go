package worker

import (
	"context"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// lookWithin bounds a look at the runtime's containers.
const lookWithin = 2 * time.Second

// lookForContainers counts the containers on the node, and finds those that
// hold room without an attempt.
func (w *Worker) lookForContainers() {
	ctx, cancel := context.WithTimeout(w.ctx, lookWithin)
	defer cancel()
	look := w.attempts.look()
	held, err := w.cfg.Runtime.List(ctx)
	if err != nil {
		w.log.Debug("the containers cannot be counted just now", "error", err)
		return
	}
	w.holds(look, held)
}

// holds notes what a look has found.
func (w *Worker) holds(look uint64, held []runtime.Container) {
	there := make(map[runtime.ContainerID]bool, len(held))
	more := map[runtime.ContainerID]messages.Resources{}
	for i := range held {
		c := &held[i]
		there[c.ID] = true
		if w.attempts.get(journal.Key{Job: c.Owner.Job, Attempt: c.Owner.Attempt}) != nil || w.attempts.isHeld(c.ID) {
			continue
		}
		if needs, ok := w.needsOf(c); ok {
			more[c.ID] = needs
		}
	}
	w.attempts.saw(look, there, more)
}

// needsOf is the room that a container holds which nobody carries out: one that
// a create has made, until it is removed, since it can be started at any time;
// and one that the journal does not know, while it has not ended.
func (w *Worker) needsOf(c *runtime.Container) (messages.Resources, bool) {
	a, err := w.cfg.Journal.Attempt(c.Owner.Job, c.Owner.Attempt)
	if err == nil {
		if a.Job.Op != messages.OpCreate || a.Phase != journal.PhaseEnded {
			return messages.Resources{}, false
		}
		return a.Job.Spec.Resources, true
	}
	if c.State.Phase.Ended() {
		return messages.Resources{}, false
	}
	d, err := w.cfg.Runtime.Inspect(w.ctx, c.ID)
	if err != nil || d.Spec == nil {
		return messages.Resources{}, false
	}
	return d.Spec.Resources, true
}

// makesContainer is the container that an attempt leaves behind by design, or
// nil.
func makesContainer(at *active, o *messages.Outcome) *runtime.ContainerID {
	if at.Job.Op != messages.OpCreate || o.Status != messages.StatusCompleted {
		return nil
	}
	id := containerID(&at.Job)
	return &id
}
