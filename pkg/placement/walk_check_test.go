package placement

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// sound checks what holds of every step, whatever the page says.
func (w *walk) sound(ev Event, before, after *messages.Record, effects []Effect) {
	check := func(holds bool, format string, args ...any) {
		if !holds {
			w.Errorf(format, args...)
		}
	}
	if after == nil {
		check(before == nil, "the record is gone")
		return
	}
	if after != before {
		if err := after.Validate(); err != nil {
			w.Errorf("the record is not valid: %v", err)
		}
		check(len(missing(Due(after), effects)) == 0, "due are %s, of %s", show(Due(after)), show(effects))
		check(before == nil || !sameBut(before, after), "it is written for nothing")
	}
	last := uint64(0)
	if before != nil {
		last = before.LastAttempt()
		_, retried := ev.(RetryAsked)
		check(!before.State.Ended() || after.State.Ended() || retried, "it was %s, and is %s", before.State, after.State)
		check(before.State != messages.StateCancelling || after.State == before.State || after.State.Ended(), "cancelling became %s", after.State)
		check(after.Attempt >= before.Attempt && after.LastAttempt() >= last, "the attempt fell from %d to %d", before.Attempt, after.Attempt)
	}
	check(after.State != messages.StatePending || after.Reason != "", "it waits without a reason")
	check(after.Successor == nil || after.State == messages.StateRunning || after.State == messages.StateAssigned, "a successor while %s", after.State)
	check(after.Highest == 0 || after.Highest > after.Attempt, "highest %d, attempt %d", after.Highest, after.Attempt)
	check(after.Job.Kind == messages.KindService || after.Starts <= after.Job.Policy.StartLimit(), "%d starts", after.Starts)
	w.soundFences(after)
	w.soundCommands(last, after, effects)
	w.soundTells(before, after, effects)
}

// sameBut tells whether nothing but the time of the change is another.
func sameBut(before, after *messages.Record) bool {
	c := *after
	c.Updated = before.Updated
	return reflect.DeepEqual(before, &c)
}

func missing(want, got []Effect) []Effect {
	return slices.DeleteFunc(slices.Clone(want), func(e Effect) bool { return slices.Contains(got, e) })
}

// soundFences: one a node, and none at or above what is current there.
func (w *walk) soundFences(r *messages.Record) {
	nodes := map[string]bool{}
	for _, f := range r.Fences {
		if nodes[f.Node] {
			w.Errorf("two fences for %s", f.Node)
		}
		nodes[f.Node] = true
		if f.Attempt > r.LastAttempt() {
			w.Errorf("a fence for an attempt that is yet to come: %v", f)
		}
		if slices.Contains(Due(r), Effect(Command{f.Node, r.Attempt})) && f.Attempt >= r.Attempt ||
			r.State == messages.StateRunning && f.Node == r.Node && f.Attempt >= r.Attempt ||
			r.Successor != nil && r.Successor.Node == f.Node && f.Attempt >= r.Successor.Attempt {
			w.Errorf("a fence revokes what is current: %v", f)
		}
	}
}

// soundCommands: what is handed over is new, to one node, and to none that must
// wait for another.
func (w *walk) soundCommands(last uint64, r *messages.Record, effects []Effect) {
	for _, e := range effects {
		c, ok := e.(Command)
		if !ok {
			continue
		}
		current := c.Node == r.Node && c.Attempt == r.Attempt && r.State == messages.StateAssigned
		successor := r.Successor != nil && c.Node == r.Successor.Node && c.Attempt == r.Successor.Attempt
		if !current && !successor {
			w.Errorf("a command for %v, which is not of the record", c)
		}
		if _, known := w.seqs[given{c.Node, c.Attempt}]; known {
			continue
		}
		for g := range w.seqs {
			if g.attempt >= c.Attempt {
				w.Errorf("attempt %d goes to %s after attempt %d went to %s", c.Attempt, c.Node, g.attempt, g.node)
			}
		}
		if c.Attempt <= last {
			w.Errorf("attempt %d is handed over after %d", c.Attempt, last)
		}
		if OneAtATime(&r.Job) && slices.ContainsFunc(r.Fences, func(f messages.Fence) bool { return !f.Expired }) {
			w.Errorf("it is handed over to %s while another may still run it: %v", c.Node, r.Fences)
		}
		if r.Home.Node != "" && r.Home.Node != c.Node {
			w.Errorf("it is handed over to %s, and its volumes are on %s", c.Node, r.Home.Node)
		}
		beside := r.Replaces != nil && r.Job.Kind == messages.KindService
		if NeedsName(&r.Job) && !r.Named && !successor && !beside {
			w.Errorf("it is handed over to %s without its name", c.Node)
		}
		if beside && !r.Named && c.Node == r.Replaces.Node {
			w.Errorf("it is handed over to %s, where the job is that it replaces", c.Node)
		}
	}
}

// soundTells: an end is told when it comes, and only then.
func (w *walk) soundTells(before, after *messages.Record, effects []Effect) {
	tells := map[messages.EventKind]int{}
	for _, e := range effects {
		if tell, ok := e.(Tell); ok {
			tells[tell.Kind]++
		}
	}
	for kind, state := range map[messages.EventKind]messages.State{
		messages.EventDead: messages.StateDead, messages.EventCancelled: messages.StateCancelled,
	} {
		came := after.State == state && (before == nil || before.State != state)
		if told := tells[kind]; came != (told == 1) || told > 1 {
			w.Errorf("%q is told %d times, and it came: %v", kind, told, came)
		}
	}
}

// repeats: the same event again hands nothing more over, and a record that was
// stored and read gives the same step.
func (w *walk) repeats(ev Event, before, after *messages.Record, effects []Effect, peers peer.Snapshot, was string) {
	if after == nil {
		return
	}
	again, more := Next(after, ev, peers, w.now)
	exempt := asksAnew(ev, after)
	if again.LastAttempt() != after.LastAttempt() && !exempt {
		w.Errorf("once more: attempt %d after %d, %s", again.LastAttempt(), after.LastAttempt(), show(more))
	}
	for _, e := range more {
		if c, ok := e.(Command); ok && !slices.Contains(effects, e) && !slices.Contains(Due(after), e) && !exempt {
			w.Errorf("once more: another command, %v", c)
		}
	}
	if before == nil || w.rng.IntN(4) > 0 {
		return
	}
	stored := new(messages.Record)
	if err := json.Unmarshal([]byte(was), stored); err != nil {
		w.Fatal(err)
	}
	other, same := Next(stored, ev, peers, w.now)
	if w.write(other) != w.write(after) || show(same) != show(effects) {
		w.Errorf("after it was stored and read: %s\n%s", w.write(other), show(same))
	}
}

// asksAnew tells whether the event once more is another matter: a node that the
// peers show alive was lost, and chosen again; a person asked for a retry of a
// job that ended over the first one.
func asksAnew(ev Event, r *messages.Record) bool {
	switch e := ev.(type) {
	case NodeLost:
		return r.Node == e.Node
	case NodeForgotten:
		return r.Node == e.Node
	case RetryAsked:
		return r.State.Ended()
	}
	return false
}

// conditions are the states that the coverage tells apart.
func conditions() []string {
	all := []string{"none", "running with successor"}
	for _, s := range messages.States() {
		all = append(all, string(s))
	}
	return all
}

func condition(r *messages.Record) string {
	switch {
	case r == nil:
		return "none"
	case r.State == messages.StateRunning && r.Successor != nil:
		return "running with successor"
	}
	return string(r.State)
}

// checkCoverage fails when the walks have hardly been somewhere: they would
// show nothing of it.
func checkCoverage(t *testing.T, pairs, rules map[string]int) {
	const enoughPairs, enoughRules = 3, 5
	for _, c := range conditions() {
		for _, kind := range eventKinds() {
			if n := pairs[c+" / "+kind]; n < enoughPairs {
				t.Errorf("only %d times came %q in %q", n, kind, c)
			}
		}
	}
	var known []string
	for _, rule := range strings.Split(strings.TrimSpace(everyRule), "\n") {
		rule = strings.TrimSpace(rule)
		known = append(known, rule)
		if rules[rule] < enoughRules {
			t.Errorf("only %d times was the rule %q followed", rules[rule], rule)
		}
	}
	for rule := range rules {
		if !slices.Contains(known, rule) {
			t.Errorf("the rule %q is not on the list", rule)
		}
	}
}
