package peer

import (
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

const ttl = 10 * time.Second

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// beat is a heartbeat of a node that runs linux/amd64.
func beat(node, journal string, n, seq uint64, change ...func(*messages.Capabilities)) messages.Capabilities {
	c := messages.Capabilities{
		V: messages.Version, Node: node, Incarnation: messages.Incarnation(journal, n), Seq: seq, TTL: messages.Duration(ttl),
		Platforms: []messages.RuntimePlatform{{Platform: messages.Platform{OS: messages.Linux, Arch: "amd64"}, Runtime: "primary"}},
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func draining(c *messages.Capabilities) { c.Draining = true }
func goodbye(c *messages.Capabilities)  { c.TTL = 0 }
func zone(z string) func(*messages.Capabilities) {
	return func(c *messages.Capabilities) { c.Labels = map[string]string{"zone": z} }
}
func busy(c *messages.Capabilities) { c.Free.CPUMilli, c.Containers = 1, 7 }

// heard is a heartbeat of node "a" and what it must do to its entry.
type heard struct {
	at      time.Duration // since epoch
	beat    messages.Capabilities
	expire  bool // Expire at that time comes instead of a heartbeat
	dropped bool
	state   messages.NodeState
	ability bool
}

const (
	alive       = messages.NodeAlive
	drains      = messages.NodeDraining
	left        = messages.NodeLeft
	lost        = messages.NodeLost
	quarantined = messages.NodeQuarantined
)

var hearings = map[string][]heard{
	"an older sequence is dropped": {
		{beat: beat("a", "j", 1, 5), state: alive, ability: true},
		{at: 1, beat: beat("a", "j", 1, 4, draining), dropped: true, state: alive},
		{at: 1, beat: beat("a", "j", 1, 5, draining), dropped: true, state: alive},
		{at: 1, beat: beat("a", "j", 1, 6, draining), state: drains, ability: true},
	},
	"a reopened journal begins its sequence anew": {
		{beat: beat("a", "j", 1, 500), state: alive, ability: true},
		{at: 1, beat: beat("a", "j", 2, 1), state: alive, ability: true},
		{at: 2, beat: beat("a", "j", 1, 501), dropped: true, state: alive},
	},
	"another journal replaces one that has fallen silent": {
		{beat: beat("a", "old", 7, 9), state: alive, ability: true},
		{at: ttl, beat: beat("a", "new", 1, 1), state: alive, ability: true},
		{at: ttl + 1, beat: beat("a", "new", 1, 2), state: alive},
	},
	"another journal replaces one that has said goodbye": {
		{beat: beat("a", "old", 7, 9, goodbye), state: left, ability: true},
		{at: 1, beat: beat("a", "new", 1, 1), state: alive, ability: true},
		{at: 2, beat: beat("a", "new", 1, 2), state: alive},
	},
	"a lost node's late heartbeat does not bring it back": {
		{beat: beat("a", "j", 1, 5), state: alive, ability: true},
		{at: ttl - 1, expire: true, state: alive},
		{at: ttl, expire: true, state: lost},
		{at: ttl + 1, beat: beat("a", "j", 1, 5), dropped: true, state: lost},
		{at: ttl + 2, beat: beat("a", "j", 1, 6), state: alive, ability: true},
	},
	"two live journals are quarantined, and released when one is silent": {
		{beat: beat("a", "x", 1, 1), state: alive, ability: true},
		{at: 1, beat: beat("a", "y", 1, 1), state: alive, ability: true},
		{at: 2, beat: beat("a", "x", 1, 2), state: quarantined, ability: true},
		{at: 3, beat: beat("a", "y", 1, 2), state: quarantined, ability: true},
		{at: 4, beat: beat("a", "y", 1, 3), state: quarantined},
		{at: 2 + ttl, beat: beat("a", "y", 1, 4), state: alive, ability: true},
	},
	"three live journals that speak in turns are quarantined": {
		{beat: beat("a", "x", 1, 1), state: alive, ability: true},
		{at: 1, beat: beat("a", "y", 1, 1), state: alive, ability: true},
		{at: 2, beat: beat("a", "z", 1, 1), state: alive, ability: true},
		{at: 3, beat: beat("a", "x", 1, 2), state: quarantined, ability: true},
	},
	"a quarantined node that is silent is lost": {
		{beat: beat("a", "x", 1, 1), state: alive, ability: true},
		{at: 1, beat: beat("a", "y", 1, 1), state: alive, ability: true},
		{at: 2, beat: beat("a", "x", 1, 2), state: quarantined, ability: true},
		{at: 2 + ttl, expire: true, state: lost},
	},
	"a node that drains can do less, once": {
		{beat: beat("a", "j", 1, 1), state: alive, ability: true},
		{at: 1, beat: beat("a", "j", 1, 2, draining), state: drains, ability: true},
		{at: 2, beat: beat("a", "j", 1, 3, draining), state: drains},
		{at: 3, beat: beat("a", "j", 1, 4), state: alive, ability: true},
	},
	"what is free is not ability, labels are": {
		{beat: beat("a", "j", 1, 1), state: alive, ability: true},
		{at: 1, beat: beat("a", "j", 1, 2, busy), state: alive},
		{at: 2, beat: beat("a", "j", 1, 3, zone("b")), state: alive, ability: true},
		{at: 3, beat: beat("a", "j", 1, 4, zone("b")), state: alive},
	},
	"a node that has left is not lost as well": {
		{beat: beat("a", "j", 1, 1), state: alive, ability: true},
		{at: 1, beat: beat("a", "j", 1, 2, goodbye), state: left},
		{at: time.Hour, expire: true, state: left},
	},
}

func TestHear(t *testing.T) {
	for name, steps := range hearings {
		t.Run(name, func(t *testing.T) {
			table := NewTable(0)
			var changed time.Time
			for i, step := range steps {
				now := epoch.Add(step.at)
				if step.expire {
					table.Expire(now)
				} else {
					before, _ := table.Get("a")
					news, ok := table.Hear(step.beat, now)
					if ok == step.dropped {
						t.Fatalf("step %d: taken in is %v", i, ok)
					}
					if ok && (news.From != before.State || news.To != step.state || news.Node != "a") {
						t.Errorf("step %d: the news are %+v, want from %q to %q", i, news, before.State, step.state)
					}
					if news.Ability != step.ability {
						t.Errorf("step %d: ability changed is %v", i, news.Ability)
					}
					if step.ability {
						changed = now
					}
				}
				n, _ := table.Get("a")
				if n.State != step.state {
					t.Fatalf("step %d: the node is %q, want %q", i, n.State, step.state)
				}
				if !n.Changed.Equal(changed) {
					t.Errorf("step %d: its ability changed at %v, want %v", i, n.Changed, changed)
				}
				if n.Usable() != (step.state == alive) {
					t.Errorf("step %d: usable is %v while %q", i, n.Usable(), n.State)
				}
			}
		})
	}
}

func TestExpireTellsTheLostOnceInOrder(t *testing.T) {
	table := NewTable(0)
	for i, name := range []string{"c", "a", "b"} {
		table.Hear(beat(name, "j", 1, 1), epoch.Add(time.Duration(i)))
	}
	got := table.Expire(epoch.Add(ttl + 1))
	if len(got) != 2 || got[0].Node != "a" || got[1].Node != "c" || got[0].To != lost || got[0].From != alive {
		t.Errorf("lost: %+v, want a and c", got)
	}
	if again := table.Expire(epoch.Add(ttl + 1)); len(again) != 0 {
		t.Errorf("lost twice: %+v", again)
	}
}

func TestFullTablePrefersTheLiving(t *testing.T) {
	table := NewTable(2)
	table.Hear(beat("a", "j", 1, 1), epoch)
	table.Hear(beat("b", "j", 1, 1), epoch.Add(time.Second))
	if _, ok := table.Hear(beat("c", "j", 1, 1), epoch.Add(time.Second)); ok || table.Len() != 2 {
		t.Fatalf("a full table took a third node (%v), %d in all", ok, table.Len())
	}
	table.Expire(epoch.Add(ttl + time.Second))
	if _, ok := table.Hear(beat("c", "j", 1, 1), epoch.Add(ttl+time.Second)); !ok {
		t.Fatal("the lost keep a new node out")
	}
	if _, ok := table.Get("a"); ok {
		t.Error("a, which was lost first, is still there")
	}
	if _, ok := table.Get("b"); !ok || table.Len() != 2 {
		t.Errorf("b is there: %v; %d nodes in all", ok, table.Len())
	}
	table.Forget("b")
	if _, ok := table.Get("b"); ok {
		t.Error("b was forgotten and is still there")
	}
}
