package peer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// written is all there is to know of a snapshot.
func written(s Snapshot) string {
	var b strings.Builder
	for n := range s.All() {
		fmt.Fprintf(&b, "%+v\n", *n)
	}
	for _, platforms := range [][]messages.Platform{nil, want("linux"), want("linux/arm64", "windows")} {
		pool := s.Pool(platforms)
		b.WriteString(names(&pool))
	}
	return b.String()
}

func names(p *Pool) string {
	var all []string
	for n := range p.All() {
		all = append(all, n.Name())
	}
	slices.Sort(all)
	return fmt.Sprintln(p.Len(), all)
}

func TestSnapshotNeverChanges(t *testing.T) {
	table := NewTable(0)
	for _, name := range []string{"b", "a", "c"} {
		table.Hear(beat(name, "j", 1, 1), epoch)
	}
	before := table.Snapshot()
	want := written(before)
	table.Hear(beat("a", "other", 1, 2, draining), epoch.Add(1))
	table.Reserve("b", messages.Resources{CPUMilli: 1}, Claim{"x", 1}, epoch)
	table.Expire(epoch.Add(time.Hour))
	table.Forget("c")
	table.Hear(beat("d", "j", 1, 1, zone("z")), epoch.Add(1))
	if got := written(before); got != want {
		t.Errorf("the snapshot was\n%s\nand is\n%s", want, got)
	}
	if written(table.Snapshot()) == want {
		t.Error("the next snapshot shows nothing of what happened")
	}
}

// fleetWalk makes a table change at random, in all the ways it can.
func fleetWalk(rng *rand.Rand, table *Table, step int, now time.Time) {
	name := fmt.Sprintf("n%03d", rng.IntN(300))
	switch rng.IntN(20) {
	case 0:
		table.Forget(name)
	case 1:
		table.Expect(name, ttl, now)
	case 2:
		table.Expire(now)
	case 3, 4, 5:
		table.Reserve(name, messages.Resources{CPUMilli: rng.Int64N(900)}, Claim{name, uint64(rng.IntN(3))}, now)
	default:
		table.Hear(beat(name, fmt.Sprintf("j%d", rng.IntN(30)/29), 1, uint64(step), roomy, func(c *messages.Capabilities) {
			runs([]string{"linux/amd64", "linux/arm64", "windows/amd64"}[rng.IntN(20)/9])(c)
			c.Labels = map[string]string{"zone": string(rune('a' + rng.IntN(12)/5)), "host": name}
			c.Free.CPUMilli, c.Draining = rng.Int64N(1000), rng.IntN(15) == 0
			if rng.IntN(25) == 0 {
				c.TTL = 0
			}
		}), now)
	}
}

// What the index says is what a look at every node says.
func TestIndexAgreesWithALookAtEveryNode(t *testing.T) {
	drawn, refused := 0, 0
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 8))
		table, now := NewTable(0), epoch
		var earlier Snapshot
		was := written(earlier)
		for step := range 2000 {
			now = now.Add(time.Duration(rng.IntN(50)) * time.Millisecond)
			fleetWalk(rng, table, step+1, now)
			if step%50 != 0 {
				if rng.IntN(3) == 0 {
					table.Snapshot()
				}
				continue
			}
			if got := written(earlier); got != was {
				t.Fatalf("seed %d, step %d: a snapshot was\n%s\nand is\n%s", seed, step, was, got)
			}
			s := table.Snapshot()
			earlier, was = s, written(s)
			d, r := sameAsScan(t, rng, s)
			drawn, refused = drawn+d, refused+r
		}
	}
	if drawn < 200 || refused < 100 {
		t.Errorf("%d nodes were drawn, %d times there was none: the walk shows little", drawn, refused)
	}
}

// sameAsScan compares the pools and draws of a snapshot with what a look at
// every node says.
func sameAsScan(t *testing.T, rng *rand.Rand, s Snapshot) (drawn, refused int) {
	t.Helper()
	last, count := "", 0
	for n := range s.All() {
		if n.Name() <= last || s.Get(n.Name()) != n || !n.everHeard() {
			t.Fatalf("%s comes behind %s", n.Name(), last)
		}
		last, count = n.Name(), count+1
	}
	if count != s.Len() {
		t.Fatalf("%d nodes, and Len is %d", count, s.Len())
	}
	for _, platforms := range [][]messages.Platform{nil, want("linux"), want("linux/arm64"), want("windows", "linux/arm64"), want("darwin")} {
		host := fmt.Sprintf("n%03d", rng.IntN(300))
		for _, label := range [][2]string{{}, {"zone", "a"}, {"zone", "c"}, {"zone", "nowhere"}, {"host", host}} {
			pool := s.Pool(platforms)
			if label[0] != "" {
				pool.Narrow(label[0], label[1])
			}
			need := messages.Resources{CPUMilli: rng.Int64N(1100)}
			fits := func(n *Node) bool {
				return n.Usable() && (len(platforms) == 0 || CanRun(&n.Caps, platforms)) &&
					(label[0] == "" || n.Caps.Labels[label[0]] == label[1]) && n.Room().Fits(need)
			}
			some := 0
			for n := range s.All() {
				some += btoi(fits(n))
			}
			n := pool.Draw(rng.Uint64(), need, fits)
			if (n != nil) != (some > 0) || n != nil && (!fits(n) || s.Get(n.Name()) != n) {
				t.Fatalf("%v %v %v: drawn is %v of %d that would do", platforms, label, need, n, some)
			}
			drawn, refused = drawn+btoi(n != nil), refused+btoi(n == nil)
		}
	}
	return drawn, refused
}

// More kinds of node than a pool has rings for.
func TestAPoolOfManyKinds(t *testing.T) {
	table := NewTable(0)
	for i := range 3 * mostRings {
		table.Hear(beat(fmt.Sprintf("w%02d", i), "j", 1, 1, runs(fmt.Sprintf("windows(10.0.%d)/amd64", 20000+i))), epoch)
	}
	table.Hear(beat("linux", "j", 1, 1), epoch)
	for _, wanted := range []string{"windows/amd64", "windows(10.0.20007)/amd64"} {
		pool, seen := table.Snapshot().Pool(want(wanted)), map[string]bool{}
		for i := range uint64(1000) {
			n := pool.Draw(Mix(i), messages.Resources{}, func(n *Node) bool { return CanRun(&n.Caps, want(wanted)) })
			seen[n.Name()] = true
		}
		if many := wanted == "windows/amd64"; len(seen) != 1 && !many || len(seen) != 3*mostRings && many || seen["linux"] {
			t.Errorf("%s: %d nodes are drawn", wanted, len(seen))
		}
	}
}

func TestWhatIsLeftOutIsNotDrawn(t *testing.T) {
	s := mixedFleet().Without("linux-1").Without("win-2").Without("nobody")
	pool := s.Pool(nil)
	for range 10 {
		n := pool.Draw(rand.Uint64(), messages.Resources{}, func(*Node) bool { return true })
		if n == nil || n.Name() == "linux-1" || n.Name() == "win-2" || !n.Usable() {
			t.Fatalf("drawn is %v", n)
		}
	}
	if s.Len() != 3 {
		t.Errorf("%d are left", s.Len())
	}
}

// BenchmarkHear is a heartbeat that changes what is free, in a fleet in which a
// snapshot is taken after every third one.
func BenchmarkHear(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			table := NewTable(0)
			beats := make([]messages.Capabilities, n)
			for i := range beats {
				beats[i] = beat(fmt.Sprintf("node-%06d", i), "journal", 1, 1, roomy, zone(fmt.Sprint(i%8)))
				table.Hear(beats[i], epoch)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				c := &beats[i*7919%n]
				c.Seq++
				c.Free.CPUMilli = int64(i % 1000)
				if _, ok := table.Hear(*c, epoch); !ok {
					b.Fatal("a heartbeat was dropped")
				}
				if i++; i%3 == 0 {
					table.Snapshot()
				}
			}
		})
	}
}
