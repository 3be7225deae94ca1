package peer

import (
	"testing"
	"time"
)

func TestAnExpectedNodeIsSilentFromTheStart(t *testing.T) {
	table := NewTable(0)
	table.Expect("a", ttl, epoch)
	table.Expect("a", time.Hour, epoch.Add(1)) // knows it already
	n := table.Snapshot().Get("a")
	if n == nil || n.Usable() || n.State != "" {
		t.Fatalf("before it is heard it is %+v", n)
	}
	if s := table.Snapshot(); s.Len() != 0 || len(s.Capable(nil, "", 9)) != 0 {
		t.Errorf("a node never heard is listed: %d", s.Len())
	}
	if got := table.Expire(epoch.Add(ttl - 1)); len(got) != 0 {
		t.Errorf("before its time-to-live: %+v", got)
	}
	got := table.Expire(epoch.Add(ttl))
	if len(got) != 1 || got[0] != (News{Node: "a", To: lost}) {
		t.Errorf("after it: %+v", got)
	}
	if n := table.Snapshot().Get("a"); n.State != lost || table.Snapshot().Len() != 0 {
		t.Errorf("it is %q, and %d nodes are listed", n.State, table.Snapshot().Len())
	}
}

func TestAnExpectedNodeThatIsHeardIsLikeANewOne(t *testing.T) {
	for _, after := range []time.Duration{ttl / 2, 2 * ttl} {
		table := NewTable(0)
		table.Expect("a", ttl, epoch)
		table.Expire(epoch.Add(after))
		was, _ := table.Get("a")
		news, ok := table.Hear(beat("a", "j", 1, 1), epoch.Add(after))
		if !ok || news != (News{Node: "a", From: was.State, To: alive, Ability: true}) {
			t.Errorf("after %v: %v, %+v", after, ok, news)
		}
		table.Expect("a", 1, epoch.Add(after))
		if s := table.Snapshot(); s.Len() != 1 || len(s.Capable(want("linux/amd64"), "", 9)) != 1 || s.Get("a").Caps.TTL.Std() != ttl {
			t.Errorf("after %v: %d nodes are listed", after, s.Len())
		}
	}
}

func TestAnExpectedNodeIsForgotten(t *testing.T) {
	table := NewTable(0)
	table.Expect("a", ttl, epoch)
	table.Forget("a")
	if table.Len() != 0 || table.Snapshot().Get("a") != nil || len(table.Expire(epoch.Add(ttl))) != 0 {
		t.Error("it is still there")
	}
}
