package placement

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

func with(c messages.Capabilities, change func(*messages.Capabilities)) messages.Capabilities {
	change(&c)
	return c
}

func TestExplainGivesEveryNodeItsReason(t *testing.T) {
	job := runJob()
	job.Requires.Labels = map[string]string{"disk": "ssd"}
	job.Spec.Resources = messages.Resources{CPUMilli: 3000, Memory: 1 << 30}
	job.Refuse(messages.Refusal{Node: "refused", Attempt: 7, Code: messages.RefusePolicy, Reason: "not here", At: epoch.Add(time.Second)})
	ssd := func(c *messages.Capabilities) { c.Labels = map[string]string{"disk": "ssd"} }
	good := with(node("good", "linux/amd64"), ssd)
	nodes := []messages.Capabilities{
		good,
		with(node("arm", "linux/arm64"), ssd),
		node("bare", "linux/amd64"),
		with(node("hdd", "linux/amd64"), func(c *messages.Capabilities) { c.Labels = map[string]string{"disk": "hdd"} }),
		with(node("full", "linux/amd64"), func(c *messages.Capabilities) { ssd(c); c.Free.CPUMilli = 2999 }),
		with(node("drains", "linux/amd64"), func(c *messages.Capabilities) { ssd(c); c.Draining = true }),
		with(node("left", "linux/amd64"), func(c *messages.Capabilities) { ssd(c); c.TTL = 0 }),
		with(node("refused", "linux/amd64"), ssd),
		with(node("nothing"), ssd),
	}
	peers := fleetOf(t, epoch, nodes...)
	reply := Explain(&job, parsed("linux/amd64"), peers, epoch)
	want := map[string]string{
		"good":    " ",
		"arm":     "platform needs linux/amd64, runs linux/arm64",
		"bare":    "labels has no label disk (wanted: ssd)",
		"hdd":     "labels label disk is hdd (wanted: ssd)",
		"full":    "capacity wants 3000 cpu_milli, has 2999 free",
		"drains":  "draining the node takes no new work: it drains",
		"left":    "not_alive the node has left",
		"refused": "refused refused attempt 7 (policy): not here",
		"nothing": "platform needs linux/amd64, runs nothing",
	}
	if len(reply.Nodes) != len(want) || reply.Chosen != "good" || reply.Nodes[0].Node != "good" || reply.Reason != "" {
		t.Errorf("chosen is %q of %d, the first is %q: %s", reply.Chosen, len(reply.Nodes), reply.Nodes[0].Node, reply.Reason)
	}
	for _, n := range reply.Nodes {
		if got := n.Code + " " + n.Reason; got != want[n.Node] || n.OK != (n.Node == "good") {
			t.Errorf("%s: %q (%v), want %q", n.Node, got, n.OK, want[n.Node])
		}
	}
	none := Explain(&job, parsed("linux/amd64"), peers.Without("good"), epoch)
	if none.Chosen != "" || !strings.HasPrefix(none.Reason, "no node can take it (needs linux/amd64); ") {
		t.Errorf("without good %q is chosen: %s", none.Chosen, none.Reason)
	}
	for name, reason := range want {
		if _, why, _ := strings.Cut(reason, " "); name != "good" && !strings.Contains(none.Reason, why) {
			t.Errorf("the reason leaves out why not %s: %s", name, none.Reason)
		}
	}
}

func TestExplainSaysWhatAScoreIsMadeOf(t *testing.T) {
	job := runJob()
	job.Requires.Prefer = map[string]string{"zone": "a"}
	near := with(node("near", "linux/amd64"), func(c *messages.Capabilities) { c.Labels = map[string]string{"zone": "a"} })
	reply := Explain(&job, nil, fleetOf(t, epoch, near, node("far", "linux/amd64"), node("arm", "linux/arm64")), epoch)
	for _, n := range reply.Nodes {
		sum := 0.0
		for _, part := range n.Parts {
			sum += part
		}
		if diff := sum - n.Score; diff > 1e-9 || diff < -1e-9 || len(n.Parts) != 5 {
			t.Errorf("%s: the parts %v make %f, the score is %f", n.Node, n.Parts, sum, n.Score)
		}
		if want := map[string]float64{"near": weightPrefer}[n.Node]; n.Parts["prefer"] != want {
			t.Errorf("%s: prefer is %f, want %f", n.Node, n.Parts["prefer"], want)
		}
	}
}

func TestExplainSaysWhatHasChangedSinceAJobWasPlaced(t *testing.T) {
	table := peer.NewTable(0)
	hear := func(at time.Time, c messages.Capabilities) {
		t.Helper()
		if _, ok := table.Hear(c, at); !ok {
			t.Fatalf("the heartbeat of %s was dropped", c.Node)
		}
	}
	for _, name := range []string{"same", "drains", "lost", "silent"} {
		hear(epoch, node(name, "linux/amd64"))
	}
	placed, later := epoch.Add(time.Second), epoch.Add(2*time.Second)
	r := recordIn(messages.StateRunning)
	r.History = []messages.History{{At: placed, Node: "same", Attempt: 1, Event: "placed"}, {At: later.Add(time.Hour), Event: "running"}}
	again := func(name string, change func(*messages.Capabilities)) messages.Capabilities {
		c := node(name, "linux/amd64")
		c.Seq = 2
		change(&c)
		return c
	}
	hear(later, again("same", func(c *messages.Capabilities) { c.Free.CPUMilli = 1 }))
	hear(later, again("drains", func(c *messages.Capabilities) { c.Draining = true }))
	hear(later, again("lost", func(*messages.Capabilities) {}))
	hear(later, node("new", "linux/amd64"))
	hear(later.Add(50*time.Second), again("silent", func(*messages.Capabilities) {}))
	hear(later.Add(50*time.Second), again("new", func(c *messages.Capabilities) { c.Seq = 3 }))
	for _, name := range []string{"same", "drains"} {
		hear(later.Add(50*time.Second), again(name, func(c *messages.Capabilities) { c.Seq, c.Draining = 3, name == "drains" }))
	}
	table.Expire(later.Add(55 * time.Second))
	reply := ExplainRecord(r, table.Snapshot(), later.Add(55*time.Second))
	if len(reply.Nodes) != 5 {
		t.Errorf("%d verdicts", len(reply.Nodes))
	}
	for _, n := range reply.Nodes {
		if want := map[string]bool{"drains": true, "lost": true, "new": true}[n.Node]; n.Changed != want {
			t.Errorf("%s has changed: %v, want %v (%s)", n.Node, n.Changed, want, n.Reason)
		}
	}
}

func TestAReasonIsOfBoundedLengthAndCountsNodesAlike(t *testing.T) {
	var nodes []messages.Capabilities
	for i := range 500 {
		nodes = append(nodes, node(fmt.Sprintf("w%03d", i), "windows/amd64"))
		nodes = append(nodes, node(fmt.Sprintf("x%03d", i), fmt.Sprintf("linux/arch%d", i)))
	}
	job := runJob()
	reason := Explain(&job, parsed("linux/amd64"), fleetOf(t, epoch, nodes...), epoch).Reason
	if len(reason) > messages.MaxReasonLength || !strings.Contains(reason, "w000, w001, w002 and 497 more: needs linux/amd64, runs windows/amd64") {
		t.Errorf("%d bytes: %s", len(reason), reason)
	}
}

func TestChooseIsWhatExplainChose(t *testing.T) {
	peers := bigFleet(t, 200)
	for i := range 300 {
		job := benchJob(i)
		got, ok := Choose(&job, nil, peers, epoch)
		reply := Explain(&job, nil, peers, epoch)
		if got != reply.Chosen || ok != (got != "") {
			t.Errorf("job %d: chosen %q (%v), explained %q", i, got, ok, reply.Chosen)
		}
	}
}

func TestCapacity(t *testing.T) {
	unlimited := with(node("u", "linux/amd64"), func(c *messages.Capabilities) { c.Free, c.Total = messages.Room{}, messages.Room{} })
	for name, c := range map[string]struct {
		caps messages.Capabilities
		want messages.Resources
		ok   bool
	}{
		"just enough":               {node("a"), messages.Resources{CPUMilli: 4000, Memory: 8 << 30, PIDs: 1000}, true},
		"too little cpu":            {node("a"), messages.Resources{CPUMilli: 4001}, false},
		"too little memory":         {node("a"), messages.Resources{Memory: 8<<30 + 1}, false},
		"too few pids":              {node("a"), messages.Resources{PIDs: 1001}, false},
		"a gpu where there is none": {node("a"), messages.Resources{GPU: 1}, false},
		"what is not limited":       {unlimited, messages.Resources{CPUMilli: 4000, Memory: 8 << 30, PIDs: 9}, true},
		"no gpu goes unsaid":        {unlimited, messages.Resources{GPU: 1}, false},
	} {
		job := runJob()
		job.Spec.Resources = c.want
		if _, ok := Choose(&job, nil, fleetOf(t, epoch, c.caps), epoch); ok != c.ok {
			t.Errorf("%s: %v", name, ok)
		}
	}
}

func TestPreferredLabelsAndRoomMakeANodeBetter(t *testing.T) {
	job := runJob()
	roomy := with(node("roomy"), func(c *messages.Capabilities) { c.Free = c.Total })
	if got, _ := Choose(&job, nil, fleetOf(t, epoch, node("a"), roomy, node("z")), epoch); got != "roomy" {
		t.Errorf("the node with most room is not chosen, but %s", got)
	}
	job.Requires.Prefer = map[string]string{"zone": "x", "disk": "ssd"}
	near := with(node("near"), func(c *messages.Capabilities) { c.Labels = map[string]string{"zone": "x"} })
	nearer := with(node("nearer"), func(c *messages.Capabilities) { c.Labels = job.Requires.Prefer })
	if got, _ := Choose(&job, nil, fleetOf(t, epoch, roomy, near, nearer), epoch); got != "nearer" {
		t.Errorf("the preferred node is not chosen, but %s", got)
	}
	if got, _ := Choose(&job, nil, fleetOf(t, epoch, roomy, near), epoch); got != "near" {
		t.Errorf("the half preferred node is not chosen, but %s", got)
	}
}

func TestEqualNodesShareTheJobs(t *testing.T) {
	peers := bigFleet(t, 10)
	got := map[string]int{}
	for i := range 1000 {
		job := benchJob(i)
		n, _ := Choose(&job, nil, peers, epoch)
		got[n]++
	}
	for n, jobs := range got {
		if jobs < 50 || jobs > 170 {
			t.Errorf("%s is given %d of 1000 jobs", n, jobs)
		}
	}
	if len(got) != 10 {
		t.Errorf("%d of 10 nodes are given jobs", len(got))
	}
}

// bigFleet is n nodes that are all alike.
func bigFleet(t testing.TB, n int) peer.Snapshot {
	nodes := make([]messages.Capabilities, 0, n)
	for i := range n {
		nodes = append(nodes, node(fmt.Sprintf("node-%05d", i), "linux/amd64"))
	}
	return fleetOf(t, epoch, nodes...)
}

func benchJob(i int) messages.Job {
	job := runJob()
	job.ID = fmt.Sprintf("job-%d", i)
	job.Spec.Platform = &messages.Platform{OS: messages.Linux, Arch: "amd64"}
	job.Spec.Resources = messages.Resources{CPUMilli: 500, Memory: 256 << 20}
	return job
}
