package placement

import (
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A job whose volumes are on a node waits for it, saying so; if it asks for that,
// it begins without them.
func TestLocalVolumesKeepTheirJob(t *testing.T) {
	peers := fleetOf(t, epoch, node("b", "linux/amd64"))
	for policy, want := range map[messages.OnNodeLoss]string{
		"": "running a waits for a, which has the job's volumes", messages.LossWait: "running a waits for a, as",
		messages.LossReschedule: "assigned b ", messages.LossFail: "lost a ",
	} {
		r := recordIn(messages.StateRunning)
		service(r)
		settled(r)
		r.Job.Policy.OnNodeLoss = policy
		after, _ := next(t, r, lost, peers, epoch.Add(time.Minute))
		if got := string(after.State) + " " + after.Node + " " + after.Reason; !strings.HasPrefix(got, want) {
			t.Errorf("on_node_loss %q: it is %q, want %q", policy, got, want)
		}
	}
	r := recordIn(messages.StatePending)
	settled(r)
	after, _ := next(t, r, Tick{}, peers, epoch.Add(time.Minute))
	if after.State != messages.StatePending || !strings.Contains(after.Reason, "b: the job's volumes are on a") {
		t.Errorf("without its node it is %s: %q", after.State, after.Reason)
	}
	after, _ = next(t, after, NodeForgotten{"a"}, peers, epoch.Add(time.Minute))
	if after.State != messages.StateAssigned || after.Node != "b" {
		t.Errorf("when its node is gone for good it is %s on %q", after.State, after.Node)
	}
}

// A service whose volumes are copied moves off a draining node only when it has
// stopped there, and off a lost one with what its copies have.
func TestCopiedVolumesBreakBeforeTheyMake(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	r := recordIn(messages.StateRunning)
	service(r)
	copied(r)
	now := epoch.Add(time.Second)
	left, effects := next(t, r, Vacate{"a"}, peers, now)
	if left.State != messages.StatePending || !strings.Contains(left.Reason, "let go of attempt 2: what its volumes hold") || show(effects) != "revoke(a 2)" {
		t.Fatalf("it is %s (%s), %s; want it to wait for its end on a", left.State, left.Reason, show(effects))
	}
	if moved, _ := next(t, left, word("a", 2, messages.StatusRevoked), peers, now); moved.State != messages.StateAssigned {
		t.Errorf("when it has stopped it is %s", moved.State)
	}
	if moved, _ := next(t, left, NodeLost{Node: "a"}, peers.Without("a"), now); moved.State != messages.StateAssigned || moved.Node != "b" {
		t.Errorf("when the node it leaves is lost it is %s on %q", moved.State, moved.Node)
	}
	if moved, _ := next(t, r, NodeLost{Node: "a"}, peers.Without("a"), now); moved.State != messages.StateAssigned || moved.Node != "b" {
		t.Errorf("when its node is lost it is %s on %q", moved.State, moved.Node)
	}
}
