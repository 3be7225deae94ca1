package placement

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// walk is a job, a fleet and a seed.
type walk struct {
	*testing.T
	rng   *rand.Rand
	now   time.Time
	heard []*beats
	rec   *messages.Record
	limit int
}

// TestRandomWalk sends a job what its fleet, its scheduler and a bad network
// could, in any order, and looks after each step whether the record is still
// one that makes sense.
func TestRandomWalk(t *testing.T) {
	reached := map[messages.State]int{}
	for seed := range uint64(80) {
		w := &walk{T: t, rng: rand.New(rand.NewPCG(seed, 7)), now: epoch}
		for i := range 4 {
			w.heard = append(w.heard, newBeats(node(fmt.Sprintf("n%d", i), []string{"linux/amd64", "windows/amd64"}[i%2])))
		}
		job := runJob()
		w.limit = 1 + w.rng.IntN(3)
		job.Policy = messages.Policy{MaxAttempts: w.limit, RetryExit: w.rng.IntN(2) == 0, Idempotent: w.rng.IntN(2) == 0}
		if w.rng.IntN(3) == 0 {
			job.Policy.Deadline = messages.Duration(time.Minute)
		}
		w.rec = submit(t, job, w.heard[0].at(w.now), w.now)
		for range 200 {
			w.now = w.now.Add(time.Duration(w.rng.IntN(3000)) * time.Millisecond)
			peers := w.heard[w.rng.IntN(len(w.heard))].at(w.now)
			ev := w.event()
			after, effects := next(t, w.rec, ev, peers, w.now)
			if !w.sound(ev, after, effects) {
				t.Fatalf("seed %d: %T %+v\nfrom %s\nto   %s", seed, ev, ev, text(t, w.rec), text(t, after))
			}
			w.rec = after
			reached[after.State]++
		}
	}
	for _, state := range messages.States() {
		if reached[state] == 0 && state != messages.StateLost {
			t.Errorf("no walk came to %q", state)
		}
	}
}

// event is one that could come: mostly of the current attempt, at times of an
// older or a newer one, from any node, with any sequence.
func (w *walk) event() Event {
	switch w.rng.IntN(12) {
	case 0, 1, 2:
		return Tick{}
	case 3:
		return Unheard{w.rec.Node, w.rec.Attempt}
	case 4:
		if w.rng.IntN(12) == 0 {
			return CancelAsked{"enough"}
		}
		return Submitted{Job: w.rec.Job, Fingerprint: []string{fingerprint, another}[w.rng.IntN(2)]}
	}
	statuses := messages.Statuses()
	o := outcome(statuses[w.rng.IntN(len(statuses))])
	o.Node, o.Attempt, o.Seq = w.rec.Node, w.rec.Attempt, w.rng.Uint64N(6)
	if w.rng.IntN(4) == 0 || o.Node == "" {
		o.Node, o.Attempt = fmt.Sprintf("n%d", w.rng.IntN(4)), w.rng.Uint64N(w.rec.Attempt+2)
	}
	switch {
	case o.Status == messages.StatusFailed && w.rng.IntN(3) > 0:
		[]func(*messages.Outcome){passing, exit(1)}[w.rng.IntN(2)](&o)
	case o.Status == messages.StatusRouteToPeer:
		codes := messages.RefuseCodes()
		refusing(codes[w.rng.IntN(len(codes))], []string{"linux/amd64", "windows/amd64"}[w.rng.IntN(2)])(&o)
	}
	return Reported{o}
}

// sound checks one step.
func (w *walk) sound(ev Event, r *messages.Record, effects []Effect) bool {
	ok, before := true, w.rec
	check := func(holds bool, format string, args ...any) {
		if !holds {
			ok = false
			w.Errorf(format, args...)
		}
	}
	commands, finishes := 0, 0
	for _, e := range effects {
		switch e := e.(type) {
		case Command:
			commands++
			check(e.Node == r.Node && e.Attempt == r.Attempt, "the command is for %s, attempt %d", e.Node, e.Attempt)
		case Finish:
			finishes++
		}
	}
	check(r.Attempt >= before.Attempt, "the attempt went from %d to %d", before.Attempt, r.Attempt)
	check(r.Starts <= w.limit, "%d starts, and %d are allowed", r.Starts, w.limit)
	check(len(r.History) <= messages.MaxHistory, "%d events in the history", len(r.History))
	check(len(r.Job.Refused) <= messages.MaxRefused, "%d refusals", len(r.Job.Refused))
	check(len(r.Platforms) <= mostPlatforms, "%d platforms", len(r.Platforms))
	check(!before.State.Ended() || r.State == before.State, "an ended job is %s", r.State)
	check(commands <= 1 && (commands == 0 || r.State == messages.StateAssigned), "%d commands while %s", commands, r.State)
	check(r == before || (finishes == 1) == r.State.Ended(), "%d finishes while %s", finishes, r.State)
	check(r.State != messages.StatePending || r.Reason != "", "it waits without a reason")
	check(before.State != messages.StateCancelling || r.State == before.State || r.State.Ended(), "a cancelled job is %s again", r.State)
	check(r.Attempt == before.Attempt || r.State == messages.StateAssigned || r.State.Ended(), "a new attempt is %s", r.State)
	if r != before {
		again := show(Due(r))
		check(len(again) <= len(show(effects)), "due are %s, of %s", again, show(effects))
	}
	return ok
}
