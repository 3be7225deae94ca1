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

// A drain moves services make-before-break, a few at a time, lets tasks finish,
// and loses nothing.
func TestADrainMovesServicesPaced(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.placer("p2")
		one := y.box("linux-1")
		const services = 10
		for i := range services {
			y.submit(service(fmt.Sprintf("web-%d", i)))
		}
		y.submit(task("job", "sleep", "120"))
		count := func(node string) (on, moving int) {
			for _, r := range verb[messages.JobsReply](y, messages.PlacerJobs, messages.JobsRequest{V: 1, State: messages.StateRunning}).Jobs {
				if r.Node == node && r.Job.ID != "job" {
					on++
				}
				if r.Successor != nil {
					moving++
				}
			}
			return on, moving
		}
		y.holds("all run on linux-1", time.Minute, func() bool { on, _ := count("linux-1"); return on == services })
		two := y.box("linux-2")
		reply := verb[messages.DrainReply](y, messages.PlacerDrain, messages.DrainRequest{V: 1, Node: "linux-1"})
		if !reply.Draining || reply.Left != services+1 || reply.Node != "linux-1" {
			t.Errorf("answered %+v", reply)
		}
		y.holds("all run on linux-2", 5*time.Minute, func() bool {
			on, moving := count("linux-2")
			if moving > 4 {
				t.Errorf("%d move at once", moving)
			}
			for i := range services {
				if id := fmt.Sprintf("web-%d", i); one.runs(id)+two.runs(id) == 0 {
					t.Errorf("%s runs nowhere", id)
				}
			}
			return on == services
		})
		y.holds("the task is done", 5*time.Minute, y.said("job"))
		if r := y.ended("job"); r.State != messages.StateCompleted || r.Attempt != 1 {
			t.Errorf("the task is %s: %s", r.State, story(r))
		}
		y.holds("nothing is left", time.Minute, func() bool {
			return verb[messages.DrainReply](y, messages.PlacerDrain, messages.DrainRequest{V: 1, Node: "linux-1"}).Left == 0
		})
		for i := range services {
			id := fmt.Sprintf("web-%d", i)
			if r := y.record(id); r.Starts != 1 || one.runs(id) != 0 || two.runs(id) != 1 {
				t.Errorf("%s: %d starts; %d and %d run", id, r.Starts, one.runs(id), two.runs(id))
			}
		}
		if reply := verb[messages.DrainReply](y, messages.PlacerUndrain, messages.DrainRequest{V: 1, Node: "linux-1"}); reply.Draining {
			t.Errorf("undrain answered %+v", reply)
		}
	})
}

// Services that find no other node stay where they are, and go as soon as there
// is one.
func TestADrainWithoutAnotherNodeWaitsForOne(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.box("linux-1")
		y.submit(service("web"))
		stop := service("careful")
		stop.Policy.OnPartition = messages.PartitionStop
		y.submit(stop)
		y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		verb[messages.DrainReply](y, messages.PlacerDrain, messages.DrainRequest{V: 1, Node: "linux-1"})
		time.Sleep(2 * time.Minute)
		if r := y.record("web"); r.State != messages.StateRunning || !strings.Contains(r.Reason, "linux-1 drains") {
			t.Errorf("it is %s: %s", r.State, r.Reason)
		}
		y.box("linux-2")
		y.holds("it has moved", time.Minute, y.is("web", messages.StateRunning, "linux-2"))
		y.holds("the careful one has moved", time.Minute, y.is("careful", messages.StateRunning, "linux-2"))
	})
}

func TestADrainThatCannotBeAsked(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		one := y.box("linux-1")
		for node, want := range map[string]string{"linux-9": "not_found", "": "invalid_argument"} {
			if e := y.refused(messages.PlacerDrain, messages.DrainRequest{V: 1, Node: node}); !strings.HasPrefix(e, want) {
				t.Errorf("of %q: %s", node, e)
			}
		}
		one.kill()
		if e := y.refused(messages.PlacerDrain, messages.DrainRequest{V: 1, Node: "linux-1"}); !strings.HasPrefix(e, "unavailable") {
			t.Errorf("of one that is away: %s", e)
		}
	})
}

func TestDrainsThatWaitAreBounded(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.worker("linux-1", linux)
		y.submit(service("web"))
		y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		waits := messages.DrainRequest{V: 1, Node: "linux-1", Timeout: messages.Duration(time.Hour)}
		data, err := messages.Encode(waits)
		if err != nil {
			t.Fatal(err)
		}
		for range 64 {
			m := bus.Message{Subject: root.PlacerVerb(messages.PlacerDrain), Reply: "_INBOX.nobody", Data: data}
			if err := y.client.Publish(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		begun := time.Now()
		reply := verb[messages.DrainReply](y, messages.PlacerDrain, waits)
		if !reply.Draining || reply.Left != 1 || time.Since(begun) > 0 {
			t.Errorf("one more is answered %+v after %s; want it answered at once", reply, time.Since(begun))
		}
		time.Sleep(time.Hour)
		begun = time.Now()
		waits.Timeout = messages.Duration(time.Minute)
		if verb[messages.DrainReply](y, messages.PlacerDrain, waits); time.Since(begun) != time.Minute {
			t.Errorf("when they are over it is answered after %s, want a minute", time.Since(begun))
		}
	})
}

// A placer that is killed at any point of a move leaves it to the next one.
func TestAPlacerKilledInTheMiddleOfAMove(t *testing.T) {
	for _, what := range []string{"jobs update", root.Command("linux-2"), root.Command("linux-1")} {
		t.Run(what, func(t *testing.T) {
			inYard(t, func(t *testing.T, y *yard) {
				c := &cut{}
				kill := y.placer("p1", c.with)
				one := y.box("linux-1")
				y.submit(service("web"))
				y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
				two := y.box("linux-2")
				c.set(what, true)
				verb[messages.DrainReply](y, messages.PlacerDrain, messages.DrainRequest{V: 1, Node: "linux-1"})
				time.Sleep(5 * time.Second)
				kill()
				y.placer("p2")
				y.holds("it has moved", 2*time.Minute, func() bool {
					return y.is("web", messages.StateRunning, "linux-2")() && one.runs("web") == 0 && two.runs("web") == 1 && len(y.record("web").Fences) == 0
				})
				if r := y.record("web"); r.Attempt != 2 || r.Starts != 1 {
					t.Errorf("attempt %d, %d starts: %s", r.Attempt, r.Starts, story(r))
				}
			})
		})
	}
}
