package placer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus/membus"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// state is what the placers say of a node.
func (y *yard) state(node string) messages.NodeState {
	y.t.Helper()
	for _, n := range verb[messages.NodesReply](y, messages.PlacerNodes, messages.NodesRequest{V: messages.Version}).Nodes {
		if n.Node == node {
			return n.State
		}
	}
	return ""
}

// Two workers come to live under one name when they could not hear each other.
// Neither is given work until one of them is gone.
func TestTwoWorkersUnderOneNameAreGivenNothing(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		var conn *membus.Conn
		y.worker("twin", linux, func(c *worker.Config) { conn = c.Bus.(*membus.Conn) })
		conn.Cut()
		stop := y.worker("twin", linux)
		conn.Mend()
		time.Sleep(7 * time.Second)
		if s := y.state("twin"); s != messages.NodeQuarantined {
			t.Fatalf("twin is %q, want it quarantined", s)
		}
		y.submit(task("any", "true"))
		named := task("named", "true")
		named.Target = "twin"
		y.submit(named)
		time.Sleep(time.Minute)
		for _, id := range []string{"any", "named"} {
			if r := y.record(id); r.State != messages.StatePending || r.Attempt != 0 || !strings.Contains(r.Reason, "two workers speak under this name") {
				t.Errorf("%s is %s, attempt %d: %s", id, r.State, r.Attempt, r.Reason)
			}
		}
		y.worker("other", linux)
		time.Sleep(5 * time.Second)
		if r := y.ended("any"); r.State != messages.StateCompleted || r.Node != "other" || r.Attempt != 1 {
			t.Errorf("any is %s on %s, attempt %d", r.State, r.Node, r.Attempt)
		}
		stop()
		time.Sleep(20 * time.Second)
		if r := y.ended("named"); r.State != messages.StateCompleted || r.Node != "twin" || r.Attempt != 1 {
			t.Errorf("named is %s on %s, attempt %d: %s", r.State, r.Node, r.Attempt, story(r))
		}
	})
}
