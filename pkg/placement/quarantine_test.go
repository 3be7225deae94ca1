package placement

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// twins is a fleet in which two live journals speak under one name.
func twins(t *testing.T, others ...messages.Capabilities) peer.Snapshot {
	t.Helper()
	one := with(node("twin", "linux/amd64"), func(c *messages.Capabilities) { c.Labels = map[string]string{"disk": "ssd"} })
	other := with(one, func(c *messages.Capabilities) { c.Incarnation = "jother.1" })
	again := with(one, func(c *messages.Capabilities) { c.Seq++ })
	peers := fleetOf(t, epoch, append(others, one, other, again)...)
	if n := peers.Get("twin"); n == nil || n.State != messages.NodeQuarantined {
		t.Fatalf("twin is %+v, want it quarantined", n)
	}
	return peers
}

// Which of the two would answer, nobody knows.
func TestAQuarantinedNodeIsGivenNothing(t *testing.T) {
	small := with(node("small", "linux/amd64"), func(c *messages.Capabilities) { c.Free.CPUMilli = 1 })
	linux := parsed("linux/amd64")
	for name, test := range map[string]struct {
		change func(*messages.Record)
		goesTo string // with another node there
	}{
		"any job":                {func(*messages.Record) {}, "small"},
		"one that prefers it":    {func(r *messages.Record) { r.Job.Requires.Prefer = map[string]string{"disk": "ssd"} }, "small"},
		"one that requires it":   {func(r *messages.Record) { r.Job.Requires.Labels = map[string]string{"disk": "ssd"} }, ""},
		"one that names it":      {func(r *messages.Record) { r.Job.Target = "twin" }, ""},
		"one with volumes there": {func(r *messages.Record) { r.Home = messages.Home{Node: "twin", Attempt: 1} }, ""},
	} {
		for i := range 50 {
			rec := messages.Record{V: messages.Version, Job: runJob(), State: messages.StatePending, Platforms: linux}
			rec.Job.ID = fmt.Sprintf("job-%d", i)
			test.change(&rec)
			if chosen, ok := chooseFor(&rec, twins(t), epoch); ok {
				t.Fatalf("%s goes to %q, with nobody else there", name, chosen)
			}
			if chosen, _ := chooseFor(&rec, twins(t, small), epoch); chosen != test.goesTo {
				t.Fatalf("%s goes to %q, want %q", name, chosen, test.goesTo)
			}
		}
	}
	job := runJob()
	reply := Explain(&job, linux, twins(t), epoch)
	if len(reply.Nodes) != 1 || reply.Nodes[0].OK || reply.Nodes[0].Code != CodeNotAlive || !strings.Contains(reply.Nodes[0].Reason, "two workers speak under this name") {
		t.Errorf("explained as %+v", reply)
	}
	if named := twins(t).Capable(linux, "", 8); len(named) > 0 {
		t.Errorf("refusals name %v as peers", named)
	}
}
