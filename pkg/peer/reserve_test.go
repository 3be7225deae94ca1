package peer

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func roomy(c *messages.Capabilities) {
	c.Free, c.Total = messages.Room{CPUMilli: 1000}, messages.Room{CPUMilli: 2000}
}

// Each step is done a second after the one before; after it, the node has that
// much cpu left and that many jobs in hand.
func TestReserve(t *testing.T) {
	one, two := Claim{"one", 1}, Claim{"two", 1}
	cpu := messages.Resources{CPUMilli: 300}
	type step struct {
		do   func(table *Table, now time.Time)
		left int64
		jobs int
	}
	reserve := func(node string, c Claim) func(*Table, time.Time) {
		return func(table *Table, now time.Time) { table.Reserve(node, cpu, c, now) }
	}
	hear := func(seq uint64, at time.Duration, change ...func(*messages.Capabilities)) func(*Table, time.Time) {
		return func(table *Table, now time.Time) {
			table.Hear(beat("a", "j", 1, seq, append(change, roomy)...), now.Add(at))
		}
	}
	accepted := func(c Claim) func(*Table, time.Time) { return func(table *Table, _ time.Time) { table.Accepted(c) } }
	release := func(c Claim) func(*Table, time.Time) { return func(table *Table, _ time.Time) { table.Release(c) } }
	for name, steps := range map[string][]step{
		"what is handed out is not free":       {{reserve("a", one), 700, 1}, {reserve("a", two), 400, 2}},
		"a repeat takes nothing more":          {{reserve("a", one), 700, 1}, {reserve("a", one), 700, 1}},
		"another attempt is another claim":     {{reserve("a", one), 700, 1}, {reserve("a", Claim{"one", 2}), 400, 2}},
		"a refusal gives it back":              {{reserve("a", one), 700, 1}, {release(one), 1000, 0}, {release(one), 1000, 0}},
		"a heartbeat alone does not":           {{reserve("a", one), 700, 1}, {hear(2, 0), 700, 1}},
		"the first one after acceptance does":  {{reserve("a", one), 700, 1}, {accepted(one), 700, 1}, {hear(2, 0), 1000, 0}},
		"an old heartbeat does not":            {{reserve("a", one), 700, 1}, {accepted(one), 700, 1}, {hear(1, 0), 700, 1}},
		"only what was accepted is counted":    {{reserve("a", one), 700, 1}, {reserve("a", two), 400, 2}, {accepted(two), 400, 2}, {hear(2, 0), 700, 1}},
		"without an answer it is held 30 s":    {{reserve("a", one), 700, 1}, {hear(2, 29*time.Second), 700, 1}, {hear(3, 29*time.Second), 1000, 0}},
		"a claim that moves leaves nothing":    {{reserve("a", one), 700, 1}, {reserve("b", one), 1000, 0}, {reserve("a", one), 700, 1}},
		"a node that is not there holds none":  {{reserve("nobody", one), 1000, 0}, {accepted(one), 1000, 0}, {release(one), 1000, 0}},
		"there is no less than nothing":        {{reserve("a", one), 700, 1}, {hear(2, 0, func(c *messages.Capabilities) {}), 700, 1}, {reserve("a", two), 400, 2}, {reserve("a", Claim{"x", 1}), 100, 3}, {reserve("a", Claim{"y", 1}), 0, 4}},
		"a goodbye ends it":                    {{reserve("a", one), 700, 1}, {hear(2, 0, goodbye), 1000, 0}, {reserve("a", two), 1000, 0}},
		"a node that was lost comes back free": {{reserve("a", one), 700, 1}, {func(table *Table, now time.Time) { table.Expire(now.Add(ttl)) }, 1000, 0}, {hear(2, 0), 1000, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			table := NewTable(0)
			table.Hear(beat("a", "j", 1, 1, roomy), epoch)
			table.Hear(beat("b", "j", 1, 1, roomy), epoch)
			for i, step := range steps {
				step.do(table, epoch.Add(time.Duration(i)*time.Second))
				n := table.Snapshot().Get("a")
				if n.Room().CPUMilli != step.left || n.Handed != step.jobs {
					t.Fatalf("step %d: %d is left with %d jobs in hand, want %d and %d", i, n.Room().CPUMilli, n.Handed, step.left, step.jobs)
				}
			}
		})
	}
}

// Whatever happens, what a node counts is the sum of what is held on it, and
// nothing is held for ever.
func TestWhatIsHeldAddsUp(t *testing.T) {
	most := 0
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 2))
		table, now := NewTable(0), epoch
		for step := range 400 {
			now = now.Add(time.Duration(rng.IntN(2000)) * time.Millisecond)
			node := fmt.Sprintf("n%d", rng.IntN(4))
			claim := Claim{fmt.Sprintf("job-%d", rng.IntN(20)), 1}
			switch rng.IntN(9) {
			case 0, 1:
				table.Hear(beat(node, "j", 1, uint64(step+1), roomy), now)
			case 2:
				table.Accepted(claim)
			case 3:
				table.Release(claim)
			case 4:
				table.Expire(now)
			case 5:
				if rng.IntN(10) == 0 {
					table.Forget(node)
				}
			default:
				table.Reserve(node, messages.Resources{CPUMilli: rng.Int64N(500)}, claim, now)
			}
			held := 0
			for name, claims := range table.holds {
				n, ok := table.Get(name)
				var sum int64
				for c, h := range claims {
					sum += h.room.CPUMilli
					if table.held[c] != name {
						t.Fatalf("seed %d: %v is on %s, and on %s", seed, c, name, table.held[c])
					}
				}
				if !ok || n.Reserved.CPUMilli != sum || n.Handed != len(claims) || n.gone() {
					t.Fatalf("seed %d: %s (%s) counts %d and %d jobs; held are %d and %d", seed, name, n.State, n.Reserved.CPUMilli, n.Handed, sum, len(claims))
				}
				held += len(claims)
			}
			if held != len(table.held) {
				t.Fatalf("seed %d: %d claims are on nodes, %d in all", seed, held, len(table.held))
			}
			most = max(most, held)
		}
	}
	if most < 10 {
		t.Errorf("never more than %d claims were held: the walk shows little", most)
	}
}
