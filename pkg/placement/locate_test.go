package placement

import (
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// waiting is the record of an op that looks for its container.
func waiting(t *testing.T, op messages.Op, peers peer.Snapshot) *messages.Record {
	t.Helper()
	job := messages.Job{V: messages.Version, ID: "op-1", Op: op, Container: "web-rep-0"}
	r, effects := Next(nil, Submitted{Job: job, Fingerprint: fingerprint, Order: 7}, peers, epoch)
	if r.State != messages.StatePending || r.Order != 7 || len(effects) != 1 || effects[0] != (Locate{}) {
		t.Fatalf("it is %s with %v", r.State, effects)
	}
	return r
}

func TestAnOpIsHandedToTheNodeThatHoldsItsContainer(t *testing.T) {
	drains := node("drains", "linux/amd64")
	drains.Draining = true
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"), drains)
	for name, c := range map[string]struct {
		op     messages.Op
		ev     Located
		state  messages.State
		node   string
		reason string
	}{
		"held":                         {messages.OpStop, Located{Nodes: []string{"a"}}, messages.StateAssigned, "a", ""},
		"held while others are silent": {messages.OpStop, Located{Nodes: []string{"a"}, Silent: []string{"b"}}, messages.StateAssigned, "a", ""},
		"held by a node that drains":   {messages.OpStop, Located{Nodes: []string{"drains"}}, messages.StateAssigned, "drains", ""},
		"held by a stranger":           {messages.OpStop, Located{Nodes: []string{"z"}}, messages.StatePending, "", "waits until z"},
		"held twice":                   {messages.OpStop, Located{Nodes: []string{"a", "b"}}, messages.StateFailed, "", "a and b hold"},
		"held nowhere":                 {messages.OpStop, Located{}, messages.StateFailed, "", "no node that can be heard"},
		"nowhere to remove":            {messages.OpRemove, Located{}, messages.StateAssigned, "", ""},
		"not certain":                  {messages.OpRemove, Located{Silent: []string{"b"}}, messages.StatePending, "", "without an answer: b"},
		"not its turn":                 {messages.OpStop, Located{Wait: "waits for job x"}, messages.StatePending, "", "waits for job x"},
	} {
		t.Run(name, func(t *testing.T) {
			r, effects := Next(waiting(t, c.op, peers), c.ev, peers, epoch.Add(time.Minute))
			if r.State != c.state || c.node != "" && r.Node != c.node || !strings.Contains(r.Reason, c.reason) {
				t.Errorf("it is %s on %q: %s", r.State, r.Node, r.Reason)
			}
			if r.State == messages.StateAssigned && show(effects[:1]) != "command("+r.Node+" 1)" {
				t.Errorf("%s follows", show(effects))
			}
			if err := r.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}
