package placer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func TestAServiceMovesFromALostNodeAndTheNodePaysItsDebt(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		one := y.box("linux-1")
		y.submit(service("web"))
		y.holds("it runs on linux-1", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		two := y.box("linux-2")
		one.kill()
		killed := time.Now()
		y.holds("it runs on linux-2", time.Minute, y.is("web", messages.StateRunning, "linux-2"))
		if took := time.Since(killed); took > 12*time.Second {
			t.Errorf("its replacement ran after %v", took)
		}
		r := y.record("web")
		if r.Attempt != 2 || len(r.Fences) != 1 || r.Fences[0].Node != "linux-1" || one.runs("web") != 1 {
			t.Errorf("attempt %d, owed %v", r.Attempt, r.Fences)
		}
		one.start()
		y.holds("the old one is stopped", time.Minute, func() bool { return one.runs("web") == 0 && len(y.record("web").Fences) == 0 })
		if r := y.record("web"); r.State != messages.StateRunning || r.Node != "linux-2" || two.runs("web") != 1 {
			t.Errorf("it is %s on %s: %s", r.State, r.Node, story(r))
		}
	})
}

// What a policy says of a task whose node is lost.
func TestATaskOfALostNode(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*messages.Policy)
		state  messages.State
	}{
		"lost":       {func(*messages.Policy) {}, messages.StateLost},
		"reschedule": {func(p *messages.Policy) { p.OnNodeLoss = messages.LossReschedule }, messages.StateCompleted},
		"idempotent": {func(p *messages.Policy) { p.Idempotent = true }, messages.StateCompleted},
		"fail":       {func(p *messages.Policy) { p.OnNodeLoss, p.Idempotent = messages.LossFail, true }, messages.StateLost},
		"wait":       {func(p *messages.Policy) { p.OnNodeLoss = messages.LossWait }, messages.StateCompleted},
	} {
		t.Run(name, func(t *testing.T) {
			inYard(t, func(t *testing.T, y *yard) {
				y.placer("p1")
				one := y.box("linux-1")
				job := task("web", "sleep", "60")
				c.change(&job.Policy)
				y.submit(job)
				y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
				y.box("linux-2")
				one.kill()
				if name == "wait" {
					time.Sleep(30 * time.Second)
					if r := y.record("web"); r.State != messages.StateRunning || !strings.Contains(r.Reason, "on_node_loss: wait") {
						t.Errorf("it is %s: %s", r.State, r.Reason)
					}
					one.start()
				}
				y.holds("it ends", 5*time.Minute, y.said("web"))
				if r := y.ended("web"); r.State != c.state {
					t.Errorf("it is %s (%s): %s", r.State, r.Reason, story(r))
				}
			})
		})
	}
}

// A backlog of outcomes is no reason to do a job again.
func TestWhatALostNodeHasSaidIsHeardFirst(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		kill := y.placer("p1")
		one := y.box("linux-1")
		job := task("web", "sleep", "5")
		job.Policy.OnNodeLoss = messages.LossReschedule
		y.submit(job)
		y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		kill()
		time.Sleep(20 * time.Second) // it ends, and nobody hears it
		one.burn()
		y.box("linux-2")
		// The new placer is not given the outcomes that are on their way to one
		// that was killed.
		c := &cut{}
		c.set("consume "+root.Stream(messages.StreamOutcomes), true)
		y.placer("p2", c.with)
		y.holds("it ends", 5*time.Minute, y.said("web"))
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Attempt != 1 {
			t.Errorf("it is %s: %s", r.State, story(r))
		}
	})
}

func TestANodeThatComesBackWithAnotherJournalHasLostWhatItHad(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		one := y.box("linux-1")
		y.submit(service("web"))
		y.submit(task("job", "sleep", "3600"))
		y.holds("both run", time.Minute, func() bool {
			return y.is("web", messages.StateRunning, "linux-1")() && y.is("job", messages.StateRunning, "linux-1")()
		})
		time.Sleep(30 * time.Second)
		one.burn()
		one.start()
		y.holds("the service is placed anew", time.Minute, func() bool {
			r := y.record("web")
			return r.State == messages.StateRunning && r.Attempt == 2 && len(r.Fences) == 0
		})
		y.holds("the task is lost", time.Minute, y.said("job"))
		if r := y.ended("job"); r.State != messages.StateLost || !strings.Contains(r.Reason, "another journal") {
			t.Errorf("the task is %s: %s", r.State, r.Reason)
		}
		if one.runs("web") != 1 {
			t.Errorf("it runs %d times", one.runs("web"))
		}
	})
}

// A placer that was cut off has heard nobody, and judges nobody.
func TestAPlacerThatWasCutOffJudgesNobody(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		conn := y.placerConn("p1")
		for i := range 3 {
			y.box(fmt.Sprintf("linux-%d", i))
		}
		y.submit(service("web"))
		y.holds("it runs", time.Minute, func() bool { return y.record("web").State == messages.StateRunning })
		conn.Cut()
		time.Sleep(time.Minute)
		conn.Mend()
		time.Sleep(30 * time.Second)
		if r := y.record("web"); r.Attempt != 1 || r.State != messages.StateRunning {
			t.Errorf("it is %s: %s", r.State, story(r))
		}
	})
}

// Nodes that a record names, and that a new placer never hears, are lost too.
func TestANodeThatDiedWithAllPlacersIsLost(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		kill := y.placer("p1")
		one := y.box("linux-1")
		y.submit(service("web"))
		y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		kill()
		one.burn()
		time.Sleep(time.Hour)
		y.box("linux-2")
		y.placer("p2")
		y.holds("it runs again", time.Minute, y.is("web", messages.StateRunning, "linux-2"))
	})
}

func TestAForgottenNodeIsOwedNothing(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		one := y.box("linux-1")
		y.submit(service("web"))
		waits := service("waits")
		waits.Policy.OnNodeLoss = messages.LossWait
		y.submit(waits)
		y.holds("both run", time.Minute, func() bool {
			return y.is("web", messages.StateRunning, "linux-1")() && y.is("waits", messages.StateRunning, "linux-1")()
		})
		if e := y.refused(messages.PlacerForget, messages.NodeRequest{V: 1, Node: "linux-1"}); !strings.Contains(e, "is alive") {
			t.Errorf("a living node: %s", e)
		}
		one.burn()
		y.box("linux-2")
		y.holds("it has moved", time.Minute, y.is("web", messages.StateRunning, "linux-2"))
		verb[messages.DrainReply](y, messages.PlacerForget, messages.NodeRequest{V: 1, Node: "linux-1"})
		y.holds("what waited has moved", time.Minute, y.is("waits", messages.StateRunning, "linux-2"))
		if r := y.record("web"); len(r.Fences) != 0 {
			t.Errorf("still owed: %v", r.Fences)
		}
		if e := y.refused(messages.PlacerForget, messages.NodeRequest{V: 1, Node: "linux-1"}); !strings.Contains(e, "not_found") {
			t.Errorf("again: %s", e)
		}
	})
}
