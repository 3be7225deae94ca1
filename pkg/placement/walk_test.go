package placement

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// walkSeeds is how many walks there are, if SHUNT_WALK_SEEDS does not say.
const walkSeeds, walkSteps = 300, 150

// walk is a job, a fleet and a seed; what the fleet and the world may do is in
// world_test.go.
type walk struct {
	*testing.T
	seed uint64
	rng  *rand.Rand
	now  time.Time

	nodes []*walker
	table *peer.Table
	job   messages.Job
	seqs  map[given]uint64 // of every attempt ever handed over: its last sequence
	rec   *messages.Record
	text  string // of the record

	pairs, rules map[string]int
}

// given is an attempt and the node it was handed over to.
type given struct {
	node    string
	attempt uint64
}

// TestRandomWalk sends a job what its fleet, its scheduler and a bad network
// could, in any order. After each step it compares what Next did with what the
// page says (model_test.go), and looks whether the record still makes sense.
func TestRandomWalk(t *testing.T) {
	seeds := uint64(walkSeeds)
	if underRace {
		seeds /= 10
	}
	if text := os.Getenv("SHUNT_WALK_SEEDS"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("SHUNT_WALK_SEEDS is %q: want a number", text)
		}
		seeds = n
	}
	pairs, rules := map[string]int{}, map[string]int{}
	for seed := range seeds {
		w := newWalk(t, seed)
		w.pairs, w.rules = pairs, rules
		for step := range walkSteps {
			if !w.step() {
				t.Fatalf("seed %d, step %d", seed, step)
			}
		}
	}
	if seeds >= walkSeeds {
		checkCoverage(t, pairs, rules)
	}
}

// step is one event; it tells whether Next did as it should.
func (w *walk) step() bool {
	w.weather()
	ev, peers, before := w.event(), w.table.Snapshot(), w.rec
	after, effects := Next(before, ev, peers, w.now)
	p := read(before, ev, peers, w.now, after)
	w.pairs[condition(before)+" / "+kindOf(before, ev)]++
	for _, rule := range p.rules {
		w.rules[rule]++
	}
	was := w.text
	if got := w.write(before); got != was {
		w.Errorf("the record that was given was written to:\n%s\n%s", was, got)
	}
	if after != before {
		w.text = w.write(after)
	}
	w.agrees(p, after, effects)
	w.sound(ev, before, after, effects)
	w.repeats(ev, before, after, effects, peers, was)
	if w.Failed() {
		w.Logf("%T %+v\nfrom %s\nto   %s\n     %s\npage %s\n     rules %q", ev, ev, was, w.text, show(effects), w.write(p.r), p.rules)
		return false
	}
	w.took(after, effects)
	return true
}

func (w *walk) write(r *messages.Record) string {
	if r == nil {
		return "none"
	}
	return text(w, r)
}

// agrees compares Next with the page.
func (w *walk) agrees(p *page, after *messages.Record, effects []Effect) {
	if got, want := essence(after, w.now), essence(p.r, w.now); got != want {
		w.Errorf("Next and the page differ:\nnext %s\npage %s", got, want)
	}
	want := p.asks
	if after != w.rec && after != nil {
		want = append(Due(after), p.asks...)
	}
	if got, want := asked(effects), asked(want); got != want {
		w.Errorf("the effects are %q, and the page says %q", got, want)
	}
}

// asked writes effects without the events that may be lost, a claim once, and
// revokes in the order of nodes, which the page leaves open.
func asked(effects []Effect) string {
	kept, claims := []Effect(nil), 0
	for _, e := range effects {
		switch e.(type) {
		case Tell:
			continue
		case Claim:
			if claims++; claims > 1 {
				continue
			}
		}
		kept = append(kept, e)
	}
	slices.SortStableFunc(kept, func(a, b Effect) int {
		x, ok := a.(Revoke)
		y, both := b.(Revoke)
		if ok && both {
			return cmp.Compare(x.Node, y.Node)
		}
		return 0
	})
	return show(kept)
}

// essence is of a record what the page speaks of; of its history, which attempts
// were settled now.
func essence(r *messages.Record, now time.Time) string {
	if r == nil {
		return "none"
	}
	node, journal := r.Node, r.Journal
	if r.State == messages.StatePending || r.State.Ended() {
		journal = ""
	}
	var ended []string
	for _, h := range r.History {
		if h.At.Equal(now) && h.Node != "" && endWords[h.Event] {
			ended = append(ended, fmt.Sprintf("%s %d", h.Node, h.Attempt))
		}
	}
	slices.Sort(ended)
	ended = slices.Compact(ended)
	fences := slices.Clone(r.Fences)
	slices.SortFunc(fences, func(a, b messages.Fence) int { return cmp.Compare(a.Node, b.Node) })
	if !OneAtATime(&r.Job) || r.State.Ended() { // nobody asks whether it has expired
		for i := range fences {
			fences[i].Expired = false
		}
	}
	var refused []string
	for _, x := range r.Job.Refused {
		refused = append(refused, fmt.Sprintf("%s %d %s", x.Node, x.Attempt, x.Code))
	}
	ending := r.Ending
	if r.State != messages.StateCancelling {
		ending = ""
	}
	counted := ""
	if o := r.Outcome; o != nil {
		counted = fmt.Sprint(o.MsgID(), " ", o.Status)
	}
	successor := "-"
	if r.Successor != nil {
		successor = fmt.Sprint(*r.Successor)
	}
	replaces := "-"
	if r.Replaces != nil {
		replaces = fmt.Sprint(*r.Replaces)
	}
	return fmt.Sprintf("%s %s %d %q, highest %d, starts %d, successor %s, fences %v, ending %q, retries %d, named %v, cancelled %d, order %d, replaces %s, healthy %v since %v, "+
		"not before %v, created %v, counted %q, platforms %v, target %q, home %v, refused %q, ended %q",
		r.State, node, r.Attempt, journal, r.LastAttempt(), r.Starts, successor, fences, ending, r.Retries, r.Named, r.Cancelled, r.Order, replaces, r.Healthy,
		r.HealthySince.Sub(epoch), r.NotBefore.Sub(epoch), r.Created.Sub(epoch), counted, r.Platforms, r.Job.Target, r.Home, refused, ended)
}

// took is what the world makes of the step: the record and the attempts.
func (w *walk) took(after *messages.Record, effects []Effect) {
	w.rec = after
	for _, e := range effects {
		if e, ok := e.(Command); ok {
			if _, known := w.seqs[given{e.Node, e.Attempt}]; !known {
				w.seqs[given{e.Node, e.Attempt}] = 0
			}
		}
	}
	if after != nil && slices.Contains(Due(after), Effect(Delete{})) && w.oneIn(8) { // the placer takes its time
		w.rec, w.text, w.seqs = nil, "none", map[given]uint64{}
	}
}

// attempts are those that were handed over, in order.
func (w *walk) attempts() []given {
	return slices.SortedFunc(maps.Keys(w.seqs), func(a, b given) int { return cmp.Compare(a.attempt, b.attempt) })
}
