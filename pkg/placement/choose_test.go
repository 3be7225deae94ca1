package placement

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// someFleet is a table of nodes of many kinds, in any order, some of them full,
// draining or forgotten again, and some holding what was handed out.
func someFleet(rng *rand.Rand, n int) *peer.Table {
	table := peer.NewTable(0)
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	room := rng.IntN(3) // few fleets have much of it
	for i := range n {
		name := fmt.Sprintf("n%03d", rng.IntN(2*n))
		c := node(name, pick("linux/amd64", "linux/amd64", "linux/arm64", "windows(10.0.20348.1)/amd64"))
		c.Incarnation = fmt.Sprintf("j%s.%d", name, i+1)
		c.Labels = map[string]string{"zone": pick("a", "b", "c"), "host": name}
		if rng.IntN(4) == 0 {
			c.Labels["disk"] = "ssd"
		}
		c.Draining = rng.IntN(8) == 0
		if rng.IntN(10) >= 1+4*room {
			c.Free.CPUMilli = 100
		}
		table.Hear(c, epoch)
		switch rng.IntN(12) {
		case 0:
			table.Forget(name)
		case 1:
			table.Reserve(name, messages.Resources{CPUMilli: 3900}, peer.Claim{Job: name, Attempt: 1}, epoch)
		}
	}
	return table
}

func someJob(rng *rand.Rand) messages.Job {
	job := benchJob(rng.IntN(1000))
	if rng.IntN(2) == 0 {
		job.Spec.Platform = nil
	}
	some := func(key string, values ...string) map[string]string {
		return map[string]string{key: values[rng.IntN(len(values))]}
	}
	switch rng.IntN(6) {
	case 0:
		job.Requires.Labels = some("zone", "a", "b", "z")
	case 1:
		job.Requires.Prefer = some("zone", "a", "z")
	case 2:
		job.Requires.Prefer = some("zone", "a", "b", "z")
		job.Requires.Prefer["disk"] = "ssd"
	case 3:
		job.Requires.Labels, job.Requires.Prefer = some("disk", "ssd"), some("zone", "a", "b")
	case 4:
		job.Target = fmt.Sprintf("n%03d", rng.IntN(50))
	}
	if rng.IntN(4) == 0 {
		for range 4 {
			job.Refuse(messages.Refusal{Node: fmt.Sprintf("n%03d", rng.IntN(50)), Attempt: 1, Code: messages.RefusePolicy, At: epoch.Add(time.Second)})
		}
	}
	return job
}

// The draw may leave out a better node, and never whether one would do: against
// a look at every node, a job finds one whenever there is one, and one with as
// many of the labels it prefers as any has.
func TestChooseAgreesWithALookAtEveryNode(t *testing.T) {
	none, some, better := 0, 0, 0
	for seed := range uint64(150) {
		rng := rand.New(rand.NewPCG(seed, 3))
		peers := someFleet(rng, 1+rng.IntN(400)).Snapshot()
		for range 20 {
			job := someJob(rng)
			var named [1]messages.Platform
			q := ask(&job, parsed("linux"), &named, epoch)
			if rng.IntN(2) == 0 {
				q = ask(&job, nil, &named, epoch)
			}
			most, best := -1, 0.0
			for n := range peers.All() {
				if objection(&q, n) == "" {
					most, best = max(most, preferred(&job, n)), max(best, score(&q, n))
				}
			}
			got := choose(&q, peers, nil)
			if (got == nil) != (most < 0) {
				t.Fatalf("seed %d: chosen is %v, and it is %v that one would do", seed, got, most >= 0)
			}
			if got == nil {
				none++
				continue
			}
			if why := objection(&q, got); why != "" || preferred(&job, got) != most {
				t.Fatalf("seed %d: %s is chosen, with %d of %d preferred labels (%s)", seed, got.Name(), preferred(&job, got), most, why)
			}
			some++
			better += btoi(score(&q, got) < best)
		}
	}
	if none < 100 || some < 1000 || better < 100 || better > some/2 {
		t.Errorf("%d jobs found no node, %d found one, of which %d not the very best: the walk shows little", none, some, better)
	}
}

func TestChooseIsWhatExplainShowsFirst(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 4))
		peers := someFleet(rng, 1+rng.IntN(300)).Snapshot()
		for range 10 {
			job := someJob(rng)
			got, ok := Choose(&job, nil, peers, epoch)
			reply := Explain(&job, nil, peers, epoch)
			if got != reply.Chosen || ok != (got != "") || ok == (reply.Reason != "") {
				t.Fatalf("seed %d: chosen %q (%v), explained %q: %s", seed, got, ok, reply.Chosen, reply.Reason)
			}
			for i, n := range reply.Nodes {
				if n.OK != (i == 0 && ok || n.Score > 0) || n.Score > reply.Nodes[0].Score || !n.OK && n.Reason == "" {
					t.Fatalf("seed %d: node %d is %+v, the first %+v", seed, i, n, reply.Nodes[0])
				}
			}
			if ok && (reply.Nodes[0].Node != got || reply.Nodes[0].Reason != "") {
				t.Fatalf("seed %d: %s is chosen, and %+v is first", seed, got, reply.Nodes[0])
			}
		}
	}
}

// Two placers come to the same table by other ways: nodes in another order, and
// some that were there for a while.
func TestEveryPlacerWithTheSameTableChoosesAlike(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	one, other := peer.NewTable(0), peer.NewTable(0)
	order := rng.Perm(300)
	for i := range 300 {
		name, late := fmt.Sprintf("n%03d", i), fmt.Sprintf("n%03d", order[i])
		one.Hear(node(name, "linux/amd64"), epoch)
		other.Hear(node("x"+late, "linux/amd64"), epoch)
		other.Hear(with(node(late, "linux/arm64"), func(c *messages.Capabilities) { c.Seq = 1 }), epoch)
		other.Snapshot()
	}
	for _, i := range rng.Perm(300) {
		other.Forget(fmt.Sprintf("xn%03d", i))
		other.Hear(with(node(fmt.Sprintf("n%03d", i), "linux/amd64"), func(c *messages.Capabilities) { c.Seq = 2 }), epoch)
	}
	chosen := map[string]bool{}
	for i := range 500 {
		job := benchJob(i)
		a, _ := Choose(&job, nil, one.Snapshot(), epoch)
		b, _ := Choose(&job, nil, other.Snapshot(), epoch)
		if a != b || a == "" {
			t.Fatalf("job %d: one chooses %q, the other %q", i, a, b)
		}
		chosen[a] = true
	}
	if len(chosen) < 150 {
		t.Errorf("500 jobs went to only %d of 300 nodes", len(chosen))
	}
}

// Between two heartbeats the nodes look as they did; what was handed out since
// keeps a burst from piling up.
func TestABurstIsSpread(t *testing.T) {
	for name, want := range map[string]messages.Resources{"that reserve nothing": {}, "that reserve a little": {CPUMilli: 10}} {
		for _, nodes := range []int{10, 100} {
			table := peer.NewTable(0)
			for i := range nodes {
				table.Hear(node(fmt.Sprintf("node-%03d", i), "linux/amd64"), epoch)
			}
			got := map[string]int{}
			for i := range 100 * nodes {
				job := benchJob(i)
				job.Spec.Resources = want
				n, _ := Choose(&job, nil, table.Snapshot(), epoch)
				table.Reserve(n, want, peer.Claim{Job: job.ID, Attempt: 1}, epoch)
				got[n]++
			}
			for n, jobs := range got {
				if jobs < 65 || jobs > 135 {
					t.Errorf("%s is given %d of %d jobs %s, one of %d nodes", n, jobs, 100*nodes, name, nodes)
				}
			}
			if len(got) != nodes {
				t.Errorf("%d of %d nodes are given jobs %s", len(got), nodes, name)
			}
		}
	}
}

func TestWhatWasHandedOutIsNotFree(t *testing.T) {
	table := peer.NewTable(0)
	table.Hear(node("a", "linux/amd64"), epoch)
	job := runJob()
	job.Spec.Resources = messages.Resources{CPUMilli: 500}
	table.Reserve("a", messages.Resources{CPUMilli: 3800}, peer.Claim{Job: "other", Attempt: 1}, epoch)
	reply := Explain(&job, nil, table.Snapshot(), epoch)
	if reply.Chosen != "" || reply.Nodes[0].Reason != "wants 500 cpu_milli, has 200 free (3800 just handed out)" {
		t.Errorf("chosen is %q: %s", reply.Chosen, reply.Nodes[0].Reason)
	}
	table.Release(peer.Claim{Job: "other", Attempt: 1})
	if got, _ := Choose(&job, nil, table.Snapshot(), epoch); got != "a" {
		t.Errorf("when it is given back %q is chosen", got)
	}
}

// An expected node has said nothing, so nobody knows what it can run.
func TestAnExpectedNodeIsNeverChosen(t *testing.T) {
	table := peer.NewTable(0)
	table.Expect("a", time.Hour, epoch)
	job := runJob()
	if got, ok := Choose(&job, nil, table.Snapshot(), epoch); ok {
		t.Errorf("%s is chosen and was never heard", got)
	}
	job.Target = "a"
	reply := Explain(&job, nil, table.Snapshot(), epoch)
	if reply.Chosen != "" || len(reply.Nodes) != 0 {
		t.Errorf("as the target %q is chosen of %v", reply.Chosen, reply.Nodes)
	}
}

func TestChooseAllocatesNothing(t *testing.T) {
	peers := bigFleet(t, 1000)
	job := benchJob(1)
	job.Requires.Prefer = map[string]string{"zone": "a"}
	if got := testing.AllocsPerRun(100, func() { Choose(&job, nil, peers, epoch) }); got != 0 {
		t.Errorf("%v allocations for a choice", got)
	}
}

func BenchmarkChoose(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchChoose(b, bigFleet(b, n), 500) })
	}
	// No node has room for the job: that, too, has to be found out.
	b.Run("10000-full", func(b *testing.B) { benchChoose(b, bigFleet(b, 10_000), 5000) })
}

func benchChoose(b *testing.B, peers peer.Snapshot, cpu int64) {
	jobs := make([]messages.Job, 4096) // each draws other nodes
	for i := range jobs {
		jobs[i] = benchJob(i)
		jobs[i].Spec.Resources.CPUMilli = cpu
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, ok := Choose(&jobs[i%len(jobs)], nil, peers, epoch); ok != (cpu < 4000) {
			b.Fatal("chosen: ", ok)
		}
		i++
	}
}
