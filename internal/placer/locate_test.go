package placer_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// on is a job on a container.
func on(op messages.Op, id, container string, args messages.Args) messages.Job {
	return messages.Job{V: messages.Version, ID: id, Op: op, Container: container, Args: args}
}

// made is a job that makes a container and leaves it.
func made(id, service string) messages.Job {
	return messages.Job{V: messages.Version, ID: id, Op: messages.OpCreate, Service: service, Spec: &messages.Spec{Image: "team/server:1"}}
}

func server(id, target string) messages.Job {
	return messages.Job{
		V: messages.Version, ID: id, Op: messages.OpRun, Kind: messages.KindService, Target: target,
		Spec: &messages.Spec{Image: "team/server:1"},
	}
}

func TestAnOpGoesToTheNodeThatHoldsItsContainer(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		for _, node := range []string{"linux-1", "linux-2", "linux-3"} {
			y.worker(node, linux)
		}
		y.submit(server("web", "linux-2"))
		left := made("left", "left")
		left.Target = "linux-3"
		y.submit(left)
		for node, id := range map[string]string{"linux-1": "both-1", "linux-2": "both-2"} {
			y.direct(node, made(id, "both"))
		}
		time.Sleep(2 * time.Second)
		for i, c := range []struct {
			op        messages.Op
			container string
			args      messages.Args
			node      string
			code      messages.Code // of the failure
		}{
			{messages.OpExec, "web-rep-0", messages.Args{Cmd: []string{"true"}}, "linux-2", ""},
			{messages.OpStart, "left-rep-0", messages.Args{}, "linux-3", ""},
			{messages.OpRename, "left-rep-0", messages.Args{NewName: "front"}, "linux-3", ""},
			{messages.OpStop, "front", messages.Args{}, "linux-3", ""},
			{messages.OpStop, "web-rep-0", messages.Args{}, "linux-2", ""},
			{messages.OpRemove, "left-rep-0", messages.Args{}, "linux-3", ""},
			{messages.OpRemove, "left-rep-0", messages.Args{}, "", ""},
			{messages.OpStop, "left-rep-0", messages.Args{}, "", messages.CodeNotFound},
			{messages.OpStop, "both-rep-0", messages.Args{}, "", messages.CodeConflict},
		} {
			id := fmt.Sprintf("op-%d", i)
			y.submit(on(c.op, id, c.container, c.args))
			time.Sleep(time.Second)
			r := y.ended(id)
			switch {
			case c.code != "":
				if r.State != messages.StateFailed || r.Outcome.Error.Code != c.code || r.Outcome.Error.Field != "container" || r.Node != "" {
					t.Errorf("%s of %s is %s (%s)", c.op, c.container, r.State, r.Reason)
				}
			case r.State != messages.StateCompleted || c.node != "" && r.Node != c.node || r.Attempt != 1:
				t.Errorf("%s of %s is %s on %s: %s %s", c.op, c.container, r.State, r.Node, r.Reason, story(r))
			case c.op == messages.OpRemove && *r.Outcome.Result.Changed != (c.node != ""):
				t.Errorf("%s of %s has changed something: %t", c.op, c.container, *r.Outcome.Result.Changed)
			}
		}
	})
}

func TestOpsOnAContainerKeepTheOrderOfIntake(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.placer("p2")
		y.worker("linux-1", linux)
		y.worker("linux-2", linux)
		time.Sleep(5 * time.Second)
		y.submit(server("web", ""))
		y.submit(on(messages.OpExec, "z-first", "web-rep-0", messages.Args{Cmd: []string{"sleep", "20"}}))
		y.submit(on(messages.OpExec, "y-second", "web-rep-0", messages.Args{Cmd: []string{"sleep", "5"}}))
		y.submit(on(messages.OpStop, "x-third", "web-rep-0", messages.Args{}))
		y.submit(on(messages.OpStop, "aside", "other-rep-0", messages.Args{}))
		time.Sleep(10 * time.Second)
		if r := y.ended("aside"); r.State != messages.StateFailed {
			t.Errorf("what is about another container is %s", r.State)
		}
		if r := y.record("x-third"); r.State != messages.StatePending || !strings.Contains(r.Reason, "waits for job ") {
			t.Errorf("the third is %s: %s", r.State, r.Reason)
		}
		time.Sleep(20 * time.Second)
		var last time.Time
		for _, id := range []string{"z-first", "y-second", "x-third"} {
			r := y.ended(id)
			if r.State != messages.StateCompleted || r.Outcome.Result.StartedAt.Before(last) {
				t.Errorf("%s is %s; it began at %s, and what was before it ended at %s", id, r.State, r.Outcome.Result.StartedAt, last)
			}
			last = r.Outcome.Result.FinishedAt
		}
	})
}

// hearsLate is a bus on which a placer hears of records late.
type hearsLate struct{ bus.Bus }

func (b hearsLate) Bucket(name string) bus.Bucket { return heardLate{b.Bus.Bucket(name)} }

type heardLate struct{ bus.Bucket }

func (b heardLate) Watch(ctx context.Context) iter.Seq2[bus.Change, error] {
	return func(yield func(bus.Change, error) bool) {
		for c, err := range b.Bucket.Watch(ctx) {
			time.Sleep(100 * time.Millisecond)
			if !yield(c, err) {
				return
			}
		}
	}
}

func TestAPlacerThatHearsOfRecordsLateKeepsTheOrder(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.placer("p2", func(b bus.Bus) bus.Bus { return hearsLate{b} })
		y.worker("linux-1", linux)
		time.Sleep(5 * time.Second)
		const pairs = 4
		for i := range pairs {
			y.submit(server(fmt.Sprintf("web-%d", i), ""))
		}
		time.Sleep(10 * time.Second)
		for i := range pairs {
			web := fmt.Sprintf("web-%d-rep-0", i)
			y.submit(on(messages.OpExec, fmt.Sprintf("first-%d", i), web, messages.Args{Cmd: []string{"sleep", "3"}}))
			y.submit(on(messages.OpExec, fmt.Sprintf("then-%d", i), web, messages.Args{Cmd: []string{"true"}}))
		}
		time.Sleep(time.Minute)
		for i := range pairs {
			first, then := y.ended(fmt.Sprintf("first-%d", i)), y.ended(fmt.Sprintf("then-%d", i))
			if first.State != messages.StateCompleted || then.State != messages.StateCompleted ||
				then.Outcome.Result.StartedAt.Before(first.Outcome.Result.FinishedAt) {
				t.Errorf("pair %d: %s until %s, then %s from %s", i, first.State, first.Outcome.Result.FinishedAt, then.State, then.Outcome.Result.StartedAt)
			}
		}
	})
}

func TestAnOpWaitsForANodeThatIsNotHeard(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		stop := y.placer("p1")
		stopWorker := y.worker("linux-1", linux)
		y.worker("linux-2", linux)
		web := server("web", "linux-1")
		web.Policy.OnNodeLoss = messages.LossWait
		y.submit(web)
		time.Sleep(2 * time.Second)
		stopWorker()
		time.Sleep(15 * time.Second)
		y.submit(on(messages.OpStop, "op", "web-rep-0", messages.Args{}))
		time.Sleep(15 * time.Second)
		if r := y.record("op"); r.State != messages.StatePending || !strings.Contains(r.Reason, "linux-1") {
			t.Errorf("it is %s: %s", r.State, r.Reason)
		}
		stop() // the next placer goes on
		y.placer("p2")
		y.cancel("op")
		synctest.Wait()
		time.Sleep(15 * time.Second)
		if r := y.ended("op"); r.State != messages.StateCancelled {
			t.Errorf("it is %s", r.State)
		}
	})
}
