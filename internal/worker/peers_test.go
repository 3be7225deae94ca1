package worker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// beatOf is a heartbeat of another node.
func beatOf(t *testing.T, node string) bus.Message {
	t.Helper()
	data, err := messages.Encode(messages.Capabilities{
		V: messages.Version, Node: node, Incarnation: "j" + node + ".1", Seq: 1, At: time.Now(),
		Interval: messages.Duration(3 * time.Second), TTL: messages.Duration(10 * time.Second),
		Host:      messages.Host{OS: messages.Windows, Arch: "amd64"},
		Platforms: []messages.RuntimePlatform{{Platform: windows, Runtime: "primary"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return bus.Message{Subject: root.Capabilities(node), Data: data}
}

// peersNamed is how many peers a refusal names.
func (r *rig) peersNamed(job string) int {
	o := r.send(messages.Job{V: messages.Version, ID: job, Op: messages.OpRun, Spec: &messages.Spec{Image: "team/win:1"}})
	if o.Route == nil {
		r.t.Fatalf("it is %s", o.Status)
	}
	return len(o.Route.Peers)
}

// A worker keeps a table of its peers while the fleet is small.
func TestPeersAreNamedWhileTheFleetIsSmall(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		for i := range 3 {
			if err := r.client.Publish(t.Context(), beatOf(t, fmt.Sprintf("win-%d", i))); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := r.peersNamed("a"); n != 3 {
			t.Errorf("%d of three peers are named", n)
		}
		for i := range 3 {
			if err := r.client.Publish(t.Context(), beatOf(t, fmt.Sprintf("more-%d", i))); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := r.peersNamed("b"); n != 0 {
			t.Errorf("%d peers are named in a fleet that is too large", n)
		}
	}, func(c *worker.Config) { c.Peers = 5 })
}
