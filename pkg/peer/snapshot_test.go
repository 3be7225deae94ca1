package peer

import (
	"slices"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func runs(platforms ...string) func(*messages.Capabilities) {
	return func(c *messages.Capabilities) {
		c.Platforms = nil
		for _, text := range platforms {
			p, err := messages.ParsePlatform(text)
			if err != nil {
				panic(err)
			}
			c.Platforms = append(c.Platforms, messages.RuntimePlatform{Platform: p, Runtime: "primary"})
		}
	}
}

func want(platforms ...string) []messages.Platform {
	var c messages.Capabilities
	runs(platforms...)(&c)
	var out []messages.Platform
	for _, p := range c.Platforms {
		out = append(out, p.Platform)
	}
	return out
}

func mixedFleet() Snapshot {
	table := NewTable(0)
	for _, c := range []messages.Capabilities{
		beat("linux-1", "j", 1, 1),
		beat("linux-2", "j", 1, 1, draining),
		beat("linux-3", "j", 1, 1, runs("linux/arm64")),
		beat("win-1", "j", 1, 1, runs("windows(10.0.20348.1)/amd64", "linux/amd64")),
		beat("win-2", "j", 1, 1, runs("windows(10.0.17763)/amd64")),
	} {
		table.Hear(c, epoch)
	}
	return table.Snapshot()
}

func TestGet(t *testing.T) {
	s := mixedFleet()
	for n := range s.All() {
		if got := s.Get(n.Name()); got != n {
			t.Errorf("Get(%q) is %v", n.Name(), got)
		}
	}
	for _, name := range []string{"", "linux", "linux-12", "zzz"} {
		if got := s.Get(name); got != nil {
			t.Errorf("Get(%q) is %s", name, got.Name())
		}
	}
	var none Snapshot
	if none.Get("a") != nil || none.Len() != 0 {
		t.Error("the empty snapshot has a node")
	}
}

func TestCapable(t *testing.T) {
	for _, c := range []struct {
		want   []messages.Platform
		except string
		most   int
		names  []string
	}{
		{want("linux/amd64"), "", 9, []string{"linux-1", "win-1"}},
		{want("linux/amd64"), "linux-1", 9, []string{"win-1"}},
		{want("linux"), "", 9, []string{"linux-1", "linux-3", "win-1"}},
		{want("linux"), "", 2, []string{"linux-1", "linux-3"}},
		{want("linux/arm64", "windows(10.0.17763.9)/amd64"), "", 9, []string{"linux-3", "win-2"}},
		{want("darwin"), "", 9, nil},
		{nil, "win-1", 9, []string{"linux-1", "linux-3", "win-2"}},
		{nil, "", 0, nil},
	} {
		if got := mixedFleet().Capable(c.want, c.except, c.most); !slices.Equal(got, c.names) {
			t.Errorf("capable of %v but %q, at most %d: %v, want %v", c.want, c.except, c.most, got, c.names)
		}
	}
}

func TestWithout(t *testing.T) {
	s := mixedFleet()
	less := s.Without("linux-2")
	if less.Len() != s.Len()-1 || less.Get("linux-2") != nil || less.Get("win-2") == nil {
		t.Errorf("%d of %d nodes are left", less.Len(), s.Len())
	}
	if s.Get("linux-2") == nil {
		t.Error("the snapshot itself has lost the node")
	}
	if got := s.Without("nobody").Len(); got != s.Len() {
		t.Errorf("without nobody there are %d", got)
	}
}

func TestAllStopsWhenTold(t *testing.T) {
	seen := 0
	for range mixedFleet().All() {
		if seen++; seen == 2 {
			break
		}
	}
	if seen != 2 {
		t.Errorf("saw %d", seen)
	}
}

func TestCanRunNeedsOneOfThePlatformsAlone(t *testing.T) {
	node := beat("n", "j", 1, 1, runs("windows(10.0.20348.2700)/amd64", "linux/amd64"))
	for wanted, ok := range map[string]bool{
		"linux/amd64": true, "linux/arm64": false, "windows(10.0.20348.1)/amd64": true,
		"windows(10.0.17763.1)/amd64": false, "windows/amd64": true, // unknown: admission decides
	} {
		if got := CanRun(&node, want(wanted)); got != ok {
			t.Errorf("a node for %s: %v", wanted, got)
		}
	}
	if !CanRun(&node, append(want("darwin/arm64"), want("linux/amd64")...)) {
		t.Error("one platform of two is not enough")
	}
}

// The weak point no. 4 of the seed: nodes advertised the host's system, never
// that they have a delegate.
func TestWeakPoint4WindowsNodeWithDelegateIsOfferedLinuxJobs(t *testing.T) {
	win := beat("win-1", "j", 1, 1, runs("windows(10.0.20348)/amd64", "linux/amd64"), func(c *messages.Capabilities) {
		c.Host = messages.Host{OS: messages.Windows, Arch: "amd64"}
	})
	if !CanRun(&win, want("linux/amd64")) {
		t.Error("a Windows node with a Linux delegate cannot run linux/amd64")
	}
	if CanRun(&win, want("linux/arm64")) {
		t.Error("a Windows node on amd64 runs linux/arm64")
	}
}
