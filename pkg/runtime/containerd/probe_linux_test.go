package containerd_test

import (
	"os"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A server that listens in its container alone is checked from there, whatever
// the network; the thread that goes there leaves this process where it was.
func TestProbeBySocket(t *testing.T) {
	b := newBench(t)
	before := networkNamespaces(t)
	for _, network := range []string{"", "none"} {
		id := b.start(&messages.Spec{Image: b.image, Entrypoint: []string{"http", "8080"}, Network: network})
		b.printed(id, "listening [::]:8080")
		for what, c := range map[string]struct {
			check   messages.Health
			healthy bool
			says    string
		}{
			"http":                          {messages.Health{HTTP: &messages.HealthHTTP{Port: 8080, Path: "/healthz"}}, true, "GET /healthz: 200 OK: ok"},
			"http without a path":           {messages.Health{HTTP: &messages.HealthHTTP{Port: 8080}}, true, "GET /: 200 OK"},
			"http with a bad status":        {messages.Health{HTTP: &messages.HealthHTTP{Port: 8080, Path: "/status/503"}}, false, "503"},
			"http on a port that is closed": {messages.Health{HTTP: &messages.HealthHTTP{Port: 8081}}, false, "connection refused"},
			"tcp":                           {messages.Health{TCP: &messages.HealthTCP{Port: 8080}}, true, "accepts"},
			"tcp on a port that is closed":  {messages.Health{TCP: &messages.HealthTCP{Port: 8081}}, false, "connection refused"},
			"a program that is not there":   {messages.Health{Command: []string{"no-such-program"}}, false, "no-such-program"},
		} {
			v, err := b.rt.Probe(b.ctx, id, c.check)
			if err != nil {
				t.Fatal(err)
			}
			if v.Healthy != c.healthy || !strings.Contains(v.Output, c.says) {
				t.Errorf("network %q, %s: it gives %+v, want healthy %v and %q", network, what, v, c.healthy, c.says)
			}
		}
	}
	if after := networkNamespaces(t); len(before) != 1 || len(after) != 1 {
		t.Errorf("the threads of this process were in %v, and are in %v", before, after)
	}
}

// networkNamespaces are those that this process has a thread in.
func networkNamespaces(t *testing.T) map[string]bool {
	t.Helper()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, thread := range threads {
		if ns, err := os.Readlink("/proc/self/task/" + thread.Name() + "/ns/net"); err == nil {
			found[ns] = true
		}
	}
	return found
}
