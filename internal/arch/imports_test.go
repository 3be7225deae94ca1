package arch

import (
	"strings"
	"testing"
)

func TestImportsGoOneWay(t *testing.T) {
	g, err := loadGraph()
	if err != nil {
		t.Fatal(err)
	}
	if !g.own["internal/arch"] || !g.std["fmt"] {
		t.Fatalf("go list gave %d packages of the module, and internal/arch or fmt is not among what it gave", len(g.own))
	}
	for _, line := range g.check(rules) {
		t.Error(line)
	}
}

// edges makes a graph of lines "from > to"; what has no dot and no slash of
// the module's own folders is the standard library.
func edges(lines ...string) *graph {
	g := &graph{own: map[string]bool{}, std: map[string]bool{}, imports: map[string][]string{}}
	for _, line := range lines {
		from, to, _ := strings.Cut(line, " > ")
		g.imports[from] = append(g.imports[from], to)
		for _, path := range []string{from, to} {
			first, _, _ := strings.Cut(path, "/")
			switch {
			case first == "pkg", first == "internal", first == "cmd":
				g.own[path] = true
			case !strings.Contains(first, "."):
				g.std[path] = true
			}
		}
	}
	return g
}

func TestEveryBrokenRuleIsReported(t *testing.T) {
	for _, test := range []struct {
		edges []string
		want  string
	}{
		{[]string{"pkg/messages > golang.org/x/sys"}, "pkg/messages imports golang.org/x/sys, and may import std only"},
		{[]string{"pkg/messages > pkg/peer"}, "pkg/messages imports pkg/peer"},
		{[]string{"pkg/messages > net/http"}, "pkg/messages imports net/http"},
		{[]string{"pkg/peer > pkg/placement"}, "pkg/peer imports pkg/placement"},
		{[]string{"pkg/peer > os"}, "pkg/peer imports os"},
		{[]string{"pkg/placement > github.com/nats-io/nats.go"}, "pkg/placement imports github.com/nats-io/nats.go"},
		{[]string{"pkg/placement/inner > net"}, "pkg/placement/inner imports net"},
		{[]string{"pkg/runtime > github.com/containerd/containerd/v2/client"}, "pkg/runtime imports github.com/containerd/containerd/v2/client"},
		{[]string{"pkg/runtime > pkg/image"}, "pkg/runtime imports pkg/image"},
		{[]string{"pkg/runtime/remote > pkg/runtime/memory"}, "pkg/runtime/remote imports pkg/runtime/memory: adapters meet"},
		{[]string{"internal/bus > github.com/nats-io/nats.go"}, "internal/bus imports github.com/nats-io/nats.go"},
		{[]string{"internal/bus/natsbus > internal/bus/membus"}, "internal/bus/natsbus imports internal/bus/membus: adapters meet"},
		{[]string{"internal/bus/internal/gate > internal/bus/membus"}, "internal/bus/internal/gate imports internal/bus/membus"},
		{[]string{"internal/worker > internal/placer"}, "internal/worker imports internal/placer"},
		{[]string{"internal/worker > pkg/client", "pkg/client > github.com/nats-io/nats.go"}, "internal/worker imports github.com/nats-io/nats.go through pkg/client"},
		{[]string{"internal/worker > go.etcd.io/bbolt"}, "internal/worker imports go.etcd.io/bbolt"},
		{[]string{"internal/placer > internal/worker"}, "internal/placer imports internal/worker"},
		{[]string{"internal/placer > internal/bus/natsbus"}, "internal/placer imports internal/bus/natsbus"},
		{[]string{"internal/dashboard > pkg/runtime/memory"}, "internal/dashboard imports pkg/runtime/memory: only a main"},
		{[]string{"internal/dashboard > cmd/internal/node"}, "internal/dashboard imports cmd/internal/node: mains"},
		{[]string{"pkg/client > internal/bus"}, "pkg/client imports internal/bus"},
		{[]string{"internal/toybox > testing"}, "internal/toybox imports testing"},
	} {
		broken := strings.Join(edges(test.edges...).check(rules), "\n")
		if !strings.Contains(broken, test.want) {
			t.Errorf("%q: got %q, want %q in it", test.edges, broken, test.want)
		}
	}
}

func TestWhatIsAllowedIsNotReported(t *testing.T) {
	g := edges(
		"pkg/messages > encoding/json", "pkg/messages > net/netip",
		"pkg/peer > pkg/messages", "pkg/placement > pkg/peer", "pkg/placement > time",
		"pkg/runtime > github.com/containerd/errdefs", "pkg/runtime > golang.org/x/sync/singleflight", "pkg/runtime > os",
		"pkg/runtime/containerd > pkg/runtime", "pkg/runtime/containerd > pkg/runtime/containerd/inner",
		"pkg/runtime/containerd > github.com/containerd/containerd/v2/client",
		"pkg/runtime/runtimetest > testing",
		"internal/bus/natsbus > internal/bus", "internal/bus/natsbus > github.com/nats-io/nats.go",
		"internal/bus/natsbus > internal/bus/internal/gate",
		"internal/worker > internal/bus", "internal/worker > pkg/runtime", "internal/worker > github.com/containerd/errdefs",
		"internal/worker/boltjournal > go.etcd.io/bbolt",
		"internal/sim > pkg/runtime/memory", "internal/sim > internal/worker",
		"cmd/worker > internal/bus/natsbus", "cmd/worker > cmd/internal/node", "cmd/internal/node > pkg/runtime/containerd",
	)
	for _, line := range g.check(rules) {
		t.Errorf("reported though it is allowed: %s", line)
	}
}
