package placer

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// The index says what a look at every record would.
func TestTheIndexAgreesWithTheRecords(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	r, revision := newRecords(), uint64(0)
	states := messages.States()
	for range 5000 {
		job := fmt.Sprintf("job-%d", rng.IntN(40))
		revision++
		if rng.IntN(5) == 0 {
			r.drop(job, revision)
			continue
		}
		rec := recordOf(job)
		rec.State, rec.Node = states[rng.IntN(len(states))], fmt.Sprintf("n-%d", rng.IntN(5))
		if rng.IntN(3) == 0 {
			rec.Fences = []messages.Fence{{Node: fmt.Sprintf("n-%d", rng.IntN(5)), Attempt: 1}}
		}
		if rng.IntN(4) == 0 {
			rec.Successor = &messages.Successor{Node: fmt.Sprintf("n-%d", rng.IntN(5)), Attempt: 2}
		}
		rec.Job.Policy.Deadline = messages.Duration(rng.IntN(2))
		r.set(job, rec, revision)
	}
	fresh := newRecords()
	for _, e := range r.matching(func(*entry) bool { return true }) {
		fresh.set(e.record.Job.ID, e.record, e.revision)
	}
	if got, want := r.waiting(), fresh.waiting(); got != want || got == 0 {
		t.Errorf("%d wait, want %d", got, want)
	}
	all := func(*entry) bool { return true }
	if got, want := len(r.due(all)), len(fresh.due(all)); got != want || got == 0 {
		t.Errorf("%d are due, want %d", got, want)
	}
	if got, want := fmt.Sprint(r.nodes()), fmt.Sprint(fresh.nodes()); got != want {
		t.Errorf("nodes %s, want %s", got, want)
	}
	for _, node := range fresh.nodes() {
		if got, want := len(r.on(node, all)), len(fresh.on(node, all)); got != want || got == 0 {
			t.Errorf("%d on %s, want %d", got, node, want)
		}
	}
	seen := map[string]int{}
	for range r.waiting() {
		found, _ := r.next(1, all)
		seen[found[0].record.Job.ID]++
	}
	for job, n := range seen {
		if n != 1 {
			t.Errorf("%s had its turn %d times in one round", job, n)
		}
	}
}

// What one turn of the sweep costs beside what it finds to do: 100,000 live jobs
// on 1,000 nodes.
func BenchmarkSweep(b *testing.B) {
	p := &Placer{cfg: Config{ID: "p1", RequestTimeout: 5 * time.Second, QuietAfter: time.Minute, MovesAtOnce: 4}, records: newRecords(), fleet: newFleet(), lanes: newLanes(1), asks: newGate(1)}
	defer p.lanes.close()
	now := time.Now()
	for i := range 1000 {
		c := messages.Capabilities{V: 1, Node: fmt.Sprintf("n-%d", i), Incarnation: "j.1", Seq: 1, TTL: messages.Duration(time.Hour)}
		p.fleet.hear(c, now)
		p.fleet.welcomed(c.Node)
	}
	for i := range 100_000 {
		rec := recordOf(fmt.Sprintf("job-%d", i))
		rec.State, rec.Node, rec.Attempt, rec.Created = messages.StateRunning, fmt.Sprintf("n-%d", i%1000), 1, now
		if i%2 == 0 {
			rec.Job.Policy.Deadline = messages.Duration(time.Hour) // looked at every turn
		}
		p.records.set(rec.Job.ID, rec, uint64(i+1))
	}
	t := turns{self: "p1", live: []string{"p1", "p2"}, slow: 10 * time.Second}
	b.ReportAllocs()
	b.Run("turn", func(b *testing.B) {
		for b.Loop() {
			now := time.Now()
			for range looksPerTurn {
				p.fleet.look(now)
			}
			p.lookAtNodes(now, t)
			p.lookAtRecords(now, t, false)
		}
	})
	b.Run("quiet", func(b *testing.B) {
		for b.Loop() {
			p.askQuiet(time.Now(), t)
		}
	})
}
