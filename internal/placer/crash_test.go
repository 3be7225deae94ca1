package placer_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// An outcome is acknowledged by what the bucket says of its job, not by a copy
// that another placer has moved on from.
func TestAnOutcomeIsNotLostToAnOldCopyOfTheRecord(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c, jobs := &cut{}, y.client.Bucket(root.Stream(messages.BucketJobs))
		y.placer("p1", c.with)
		rec := messages.Record{V: 1, Job: task("web", "true"), State: messages.StateRunning, Node: "linux-1", Attempt: 1, Starts: 1, Created: time.Now()}
		first, err := jobs.Create(t.Context(), "web", encoded(t, rec))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.set("watch", true)
		rec.Attempt, rec.Starts = 2, 2 // by another placer
		if _, err := jobs.Update(t.Context(), "web", encoded(t, rec), first); err != nil {
			t.Fatal(err)
		}
		y.append(root.Outcome("linux-1", "web"), encoded(t, messages.Outcome{
			V: 1, Job: "web", Op: messages.OpRun, Node: "linux-1", Attempt: 2, Seq: 2, Status: messages.StatusCompleted, At: time.Now(),
		}))
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Attempt != 2 {
			t.Errorf("it is %s after attempt %d", r.State, r.Attempt)
		}
	})
}

func TestAPlacerKilledBetweenTheLastWordAndTheDelete(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c := &cut{}
		kill := y.placer("p1", c.with)
		y.worker("linux-1", linux)
		c.set("delete", true)
		y.submit(task("web", "true"))
		y.ended("web")
		if left := y.left(); len(left) != 1 {
			t.Fatalf("records left: %v", left)
		}
		kill()
		y.placer("p2")
		time.Sleep(time.Minute)
		if r := y.ended("web"); r.State != messages.StateCompleted {
			t.Errorf("it is %s", r.State)
		}
		if left := y.left(); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	})
}

func TestAPlacerKilledBetweenTheLastWordAndTheDeadLetter(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c := &cut{}
		kill := y.placer("p1", c.with)
		c.set(root.Dead(""), true)
		job := task("web", "true")
		job.Policy.Deadline = messages.Duration(time.Second)
		y.submit(job)
		time.Sleep(5 * time.Second)
		y.ended("web")
		kill()
		y.placer("p2")
		time.Sleep(time.Minute)
		if r := y.ended("web"); r.State != messages.StateDead {
			t.Errorf("it is %s", r.State)
		}
		y.mu.Lock()
		defer y.mu.Unlock()
		if n := len(y.dead["web"]); n != 1 || len(y.left()) != 0 {
			t.Errorf("%d dead letters", n)
		}
	})
}

func TestAPlacerKilledBeforeItsCommand(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c := &cut{}
		kill := y.placer("p1", c.with)
		y.worker("linux-1", linux)
		c.set(root.Command(""), true)
		y.submit(task("web", "true"))
		time.Sleep(time.Second)
		kill()
		y.placer("p2")
		if r := y.record("web"); r.State != messages.StateAssigned {
			t.Fatalf("it is %s", r.State)
		}
		time.Sleep(time.Minute)
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Attempt != 1 {
			t.Errorf("it is %s after attempt %d: %s", r.State, r.Attempt, story(r))
		}
	})
}

// The end of a direct job may come before its beginning: the placer that has
// the beginning could not write it yet.
func TestAnOutcomeThatComesBeforeItsRecordIsNotLost(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c := &cut{}
		y.placer("p1", c.with)
		y.worker("linux-1", linux)
		c.set("create", true)
		y.direct("linux-1", task("web", "true"))
		time.Sleep(500 * time.Millisecond)
		c.set("create", false)
		time.Sleep(time.Minute)
		if r := y.ended("web"); r.State != messages.StateCompleted {
			t.Errorf("it is %s", r.State)
		}
		if left := y.left(); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
	})
}

func TestTwoPlacersEachJobIsDoneOnce(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.placer("p2")
		y.worker("win-1", windows)
		y.worker("linux-1", linux)
		y.worker("linux-2", linux)
		const jobs = 60
		for i := range jobs {
			job := task(fmt.Sprintf("web-%d", i), []string{"true", "exit", "sleep"}[i%3], []string{"", "3", "2"}[i%3])
			if i%2 == 0 {
				job.Spec.Resources.CPUMilli = 200
			}
			y.submit(job)
			y.direct("linux-2", task(fmt.Sprintf("direct-%d", i), "true"))
			y.direct("win-1", task(fmt.Sprintf("refused-%d", i), "true"))
		}
		time.Sleep(10 * time.Minute)
		for i := range jobs {
			want := messages.StateCompleted
			if i%3 == 1 {
				want = messages.StateFailed
			}
			for id, want := range map[string]messages.State{fmt.Sprintf("web-%d", i): want, fmt.Sprintf("direct-%d", i): "completed", fmt.Sprintf("refused-%d", i): "completed"} {
				if r := y.ended(id); r.State != want || r.Starts != 1 {
					t.Errorf("%s is %s after %d starts: %s", id, r.State, r.Starts, story(r))
				}
			}
		}
		if left := y.left(); len(left) != 0 {
			t.Errorf("records left: %v", left)
		}
		if placers := verb[messages.PlacerInfoReply](y, messages.PlacerInfo, struct {
			V int `json:"v"`
		}{1}).Placers; len(placers) != 2 {
			t.Errorf("placers that know each other: %v", placers)
		}
	})
}

// A job that waits may be cancelled by one placer while the other places it:
// one of the two wins, and nothing runs that is said to be cancelled.
func TestTwoPlacersCancelAgainstPlace(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.placer("p2")
		const jobs = 50
		for i := range jobs {
			y.submit(task(fmt.Sprintf("web-%d", i), "sleep", "3600"))
		}
		time.Sleep(time.Second)
		go func() {
			for i := range jobs {
				y.cancel(fmt.Sprintf("web-%d", i))
			}
		}()
		y.worker("linux-1", linux)
		time.Sleep(10 * time.Minute)
		for i := range jobs {
			if r := y.ended(fmt.Sprintf("web-%d", i)); r.State != messages.StateCancelled {
				t.Errorf("%s is %s: %s", r.Job.ID, r.State, story(r))
			}
		}
		if running := y.running("linux-1"); running != 0 {
			t.Errorf("%d cancelled jobs run", running)
		}
	})
}

// running is how many containers a node says it has that have not ended.
func (y *yard) running(node string) int {
	y.t.Helper()
	reply, err := y.client.Request(y.t.Context(), bus.Message{Subject: root.NodeVerb(node, messages.VerbList)})
	if err != nil {
		y.t.Fatal(err)
	}
	return len(decoded[messages.ListReply](y, reply).Containers)
}

func TestAWorkerThatIsAwayIsAskedAgain(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		stop := y.worker("linux-1", linux)
		y.direct("linux-1", task("keeps-it-from-saying-goodbye", "sleep", "3600"))
		synctest.Wait()
		stop()
		y.submit(task("web", "true"))
		time.Sleep(5 * time.Second)
		if r := y.record("web"); !strings.Contains(r.Reason, "did not answer") {
			t.Errorf("it is %s: %s", r.State, r.Reason)
		}
		time.Sleep(10 * time.Second)
		if nodes := verb[messages.NodesReply](y, messages.PlacerNodes, messages.NodesRequest{V: 1}).Nodes; len(nodes) != 1 || nodes[0].State != messages.NodeLost {
			t.Errorf("the nodes are %+v", nodes)
		}
		y.worker("linux-2", linux)
		time.Sleep(10 * time.Second)
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Node != "linux-2" {
			t.Errorf("it is %s on %s", r.State, r.Node)
		}
	})
}

// Who looks after which job is agreed on, so that placers seldom race for one.
func TestPlacersSeldomRace(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		cuts := []*cut{{}, {}, {}}
		for i, c := range cuts {
			y.placer(fmt.Sprintf("p%d", i), c.with)
		}
		const jobs = 200
		for i := range jobs {
			y.submit(task(fmt.Sprintf("job-%d", i), "sleep", "5"))
		}
		time.Sleep(time.Minute) // all wait for a node
		one := y.box("linux-1")
		for i := range jobs {
			y.holds("it is done", 10*time.Minute, y.said(fmt.Sprintf("job-%d", i)))
		}
		one.kill()
		lost := 0
		for _, c := range cuts {
			lost += c.lost
		}
		if lost > jobs/10 {
			t.Errorf("%d races were lost over %d jobs", lost, jobs)
		}
	})
}

// A fence is in the record before its event is over, and is paid by whichever
// placer comes after.
func TestAPlacerKilledWhileItOwesARevoke(t *testing.T) {
	for _, what := range []string{"jobs update", root.Command("linux-1"), root.Command("linux-2"), "watch"} {
		t.Run(what, func(t *testing.T) {
			inYard(t, func(t *testing.T, y *yard) {
				c := &cut{}
				kill := y.placer("p1", c.with)
				one := y.box("linux-1")
				y.submit(service("web"))
				y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
				two := y.box("linux-2")
				c.set(what, true)
				one.kill()
				time.Sleep(20 * time.Second)
				one.start()
				time.Sleep(5 * time.Second)
				kill()
				y.placer("p2")
				y.holds("one runs, and nothing is owed", 3*time.Minute, func() bool {
					r := y.record("web")
					return r.State == messages.StateRunning && len(r.Fences) == 0 && one.runs("web")+two.runs("web") == 1
				})
			})
		})
	}
}

// What ended while it owed a revoke is said at once, and kept until it is paid.
func TestAnEndedJobIsKeptForItsDebt(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		one := y.box("linux-1")
		y.submit(task("web", "sleep", "3600"))
		y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		one.kill()
		y.holds("it is lost", time.Minute, y.said("web"))
		time.Sleep(time.Minute)
		if left := y.left(); len(left) != 1 || one.runs("web") != 1 {
			t.Errorf("records left: %v", left)
		}
		one.start()
		y.holds("it is paid", time.Minute, func() bool { return len(y.left()) == 0 && one.runs("web") == 0 })
		if r := y.ended("web"); r.State != messages.StateLost {
			t.Errorf("it is %s", r.State)
		}
	})
}

// asks asks a placer about a node, until one answers that has heard of it.
func (y *yard) asks(v messages.PlacerVerb, node string) {
	y.t.Helper()
	y.holds("somebody has heard of "+node, time.Minute, func() bool {
		return y.refused(v, messages.DrainRequest{V: messages.Version, Node: node}) == ""
	})
}

// webs is how many of so many services web-N run in the box.
func (b *box) webs(of int) (running int) {
	for i := range of {
		running += b.runs(fmt.Sprintf("web-%d", i))
	}
	return running
}

// Nodes come, go and drain under three placers, which are killed too: every job
// ends, none twice, and each service runs once.
func TestPlacersAndNodesComeAndGo(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		kills := map[string]func(){}
		for _, id := range []string{"p1", "p2", "p3"} {
			kills[id] = y.placer(id)
		}
		boxes := []*box{y.box("linux-0"), y.box("linux-1"), y.box("linux-2"), y.box("linux-3")}
		const jobs = 20
		for i := range jobs {
			job := task(fmt.Sprintf("job-%d", i), "sleep", fmt.Sprint(10+7*i))
			job.Policy.Idempotent, job.Policy.MaxAttempts = true, 50
			y.submit(job)
			web := service(fmt.Sprintf("web-%d", i))
			web.Policy.MaxAttempts = 50
			y.submit(web)
		}
		for round := range 12 {
			b := boxes[round%len(boxes)]
			time.Sleep(5 * time.Second)
			if round%3 == 2 {
				b.burn()
			} else {
				b.kill()
			}
			id := fmt.Sprintf("p%d", round%3+1)
			kills[id]()
			next := (round + 1) % len(boxes)
			y.asks(messages.PlacerDrain, fmt.Sprintf("linux-%d", next))
			time.Sleep(time.Duration(3+5*(round%4)) * time.Second)
			kills[id] = y.placer(id)
			b.start()
			y.holds("no service is left on what drains", 10*time.Minute, func() bool { return boxes[next].webs(jobs) == 0 })
			y.asks(messages.PlacerUndrain, fmt.Sprintf("linux-%d", next))
		}
		y.holds("all is well", 30*time.Minute, func() bool {
			for i := range jobs {
				id, running := fmt.Sprintf("web-%d", i), 0
				for _, b := range boxes {
					running += b.runs(id)
				}
				if r := y.record(id); r.State != messages.StateRunning || len(r.Fences) != 0 || running != 1 {
					return false
				}
				if !y.said(fmt.Sprintf("job-%d", i))() {
					return false
				}
			}
			return true
		})
		for i := range jobs {
			if r := y.ended(fmt.Sprintf("job-%d", i)); r.State != messages.StateCompleted {
				t.Errorf("%s is %s: %s", r.Job.ID, r.State, story(r))
			}
		}
	})
}
