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

// model is the table again, without a thought for speed: it keeps everything it
// ever took in, and works every answer out from that.
type model map[string][]modelBeat

type modelBeat struct {
	c  messages.Capabilities
	at time.Time
}

func (m model) hear(c messages.Capabilities, now time.Time) {
	if all := m[c.Node]; len(all) > 0 {
		last := all[len(all)-1].c
		lastJournal, lastN, _ := messages.ParseIncarnation(last.Incarnation)
		journal, n, _ := messages.ParseIncarnation(c.Incarnation)
		if journal == lastJournal && (n < lastN || n == lastN && c.Seq <= last.Seq) {
			return
		}
	}
	m[c.Node] = append(m[c.Node], modelBeat{c, now})
}

func (m model) state(node string, now time.Time) messages.NodeState {
	all := m[node]
	last := all[len(all)-1]
	switch {
	case last.c.TTL == 0:
		return messages.NodeLeft
	case now.Sub(last.at) >= last.c.TTL.Std():
		return messages.NodeLost
	case m.contested(all, last):
		return messages.NodeQuarantined
	case last.c.Draining:
		return messages.NodeDraining
	}
	return messages.NodeAlive
}

// contested looks for a switch between two journals, neither of them silent, to
// one that had spoken before in the same unbroken run, within the last
// time-to-live.
func (m model) contested(all []modelBeat, last modelBeat) bool {
	var run []modelBeat // since the last silence or goodbye
	contested := false
	for _, b := range all {
		journal, _, _ := messages.ParseIncarnation(b.c.Incarnation)
		if len(run) > 0 {
			before := run[len(run)-1]
			beforeJournal, _, _ := messages.ParseIncarnation(before.c.Incarnation)
			switch {
			case beforeJournal == journal:
			case before.c.TTL == 0 || b.at.Sub(before.at) >= before.c.TTL.Std():
				run = nil
			case slices.ContainsFunc(run, func(r modelBeat) bool { return strings.HasPrefix(r.c.Incarnation, journal+".") }):
				contested = contested || last.at.Sub(before.at) < last.c.TTL.Std()
			}
		}
		run = append(run, b)
	}
	return contested
}

func TestTableAgreesWithANaiveOne(t *testing.T) {
	seen := map[messages.NodeState]int{}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		table, naive := NewTable(0), model{}
		now := epoch
		for step := range 120 {
			now = now.Add(time.Duration(rng.IntN(int(ttl) / 2)))
			if rng.IntN(20) == 0 {
				now = now.Add(ttl)
			}
			c := beat(fmt.Sprintf("n%d", rng.IntN(3)), fmt.Sprintf("j%d", rng.IntN(8)/7), 1+rng.Uint64N(3), rng.Uint64N(8))
			c.Draining = rng.IntN(6) == 0
			if rng.IntN(10) == 0 {
				c.TTL = 0
			}
			table.Hear(c, now)
			naive.hear(c, now)
			table.Expire(now)
			for node := range naive {
				got, _ := table.Get(node)
				seen[got.State]++
				if want := naive.state(node, now); got.State != want {
					t.Fatalf("seed %d, step %d: %s is %q, the naive table says %q", seed, step, node, got.State, want)
				}
			}
		}
	}
	for _, state := range []messages.NodeState{alive, drains, lost, left, quarantined} {
		if seen[state] < 100 {
			t.Errorf("only %d times was a node %q: the walk shows nothing of that", seen[state], state)
		}
	}
}
