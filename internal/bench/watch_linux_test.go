package bench

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// watch hears what a fleet tells of its jobs. Its clock is everybody's, since
// all are on one machine.
type watch struct {
	fleet *fleet

	mu    sync.Mutex
	heard map[string]map[string]time.Time // by job, then by what was told
}

// outcomeHeard is the phase that an outcome's own time does not tell: when it
// was out.
const outcomeHeard = "outcome"

func watchFleet(f *fleet) (*watch, error) {
	w := &watch{fleet: f, heard: map[string]map[string]time.Time{}}
	root := messages.Root(messages.DefaultRoot)
	for subject, hear := range map[string]nats.MsgHandler{
		root.Event("*", "*"):   w.event,
		root.Outcome("*", "*"): w.outcome,
	} {
		if _, err := f.nc.Subscribe(subject, hear); err != nil {
			return nil, err
		}
	}
	return w, f.nc.Flush()
}

func (w *watch) event(m *nats.Msg) {
	var e messages.Event
	if json.Unmarshal(m.Data, &e) == nil {
		w.note(e.Job, string(e.Kind), e.At)
	}
}

func (w *watch) outcome(m *nats.Msg) {
	at := time.Now()
	var o messages.Outcome
	if json.Unmarshal(m.Data, &o) == nil {
		w.note(o.Job, outcomeHeard, at)
	}
}

func (w *watch) note(job, what string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.heard[job] == nil {
		w.heard[job] = map[string]time.Time{}
	}
	w.heard[job][what] = at
}

// phases runs one job, to the removal of its container, and takes it apart.
func (w *watch) phases(ctx context.Context, p *phases) error {
	job, begun := nextID(), time.Now()
	known, err := w.fleet.run(ctx, job)
	if err == nil {
		err = w.fleet.settle(ctx)
	}
	if err == nil {
		err = w.fleet.nc.Flush() // what was told before is heard
	}
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.heard[job]
	at["known"] = known
	last := begun
	for _, step := range []struct{ told, phase string }{
		{string(messages.EventPlaced), "intake and record written, placed"},
		{string(messages.EventAccepted), "commanded, admitted, journaled"},
		{string(messages.EventPulled), "image looked up"},
		{string(messages.EventCreated), "container made"},
		{string(messages.EventStarted), "journaled, task made and started"},
		{string(messages.EventExited), "program runs"},
		{outcomeHeard, "outcome journaled and published"},
		{"known", "last word published and heard"},
	} {
		p.add(step.phase, at[step.told].Sub(last))
		last = at[step.told]
	}
	removed := at[string(messages.EventRemoved)]
	p.add("= until the end is known", known.Sub(begun))
	p.add("task and container removed", removed.Sub(at[string(messages.EventExited)]))
	p.add("= until all is cleared up", removed.Sub(begun))
	return nil
}
