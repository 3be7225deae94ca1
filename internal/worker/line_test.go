package worker_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// throw sends a command and waits for nothing.
func (r *rig) throw(job messages.Job) {
	r.t.Helper()
	data, err := messages.Encode(job)
	if err == nil {
		err = r.client.Publish(r.t.Context(), bus.Message{Subject: root.Command("linux-1"), Reply: "_INBOX.nobody", Data: data})
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

func ordered(op messages.Op, id, container string, args messages.Args) messages.Job {
	return messages.Job{V: messages.Version, ID: id, Op: op, Container: container, Args: args}
}

func TestOpsOnAContainerAreDoneInTheOrderInWhichTheyCome(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		pulled := make(chan struct{})
		r.faulty.pulls = func(ctx context.Context, _ runtime.PullOptions) error {
			select {
			case <-pulled:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		web := messages.Job{V: messages.Version, ID: "web", Op: messages.OpRun, Kind: messages.KindService, Spec: &messages.Spec{Image: "team/server:1"}}
		r.throw(web)
		r.throw(ordered(messages.OpExec, "slow", "web-rep-0", messages.Args{Cmd: []string{"sleep", "7"}}))
		r.throw(ordered(messages.OpStop, "stop", "web-rep-0", messages.Args{}))
		r.throw(ordered(messages.OpRemove, "gone", "other-rep-0", messages.Args{}))
		time.Sleep(time.Second)
		if got := r.said("slow") + "; " + r.said("stop") + "; " + r.said("gone"); got != "1.1 accepted; 1.1 accepted; 1.1 accepted, 1.2 completed" {
			t.Errorf("while the image is pulled: %s", got)
		}
		close(pulled)
		synctest.Wait()
		if got := r.said("web") + "; " + r.said("stop"); got != "1.1 accepted, 1.2 running; 1.1 accepted" {
			t.Errorf("while the program before it runs: %s", got)
		}
		time.Sleep(7 * time.Second)
		if o := r.last("slow"); o.Result == nil || o.Result.ExitCode == nil || *o.Result.ExitCode != 0 {
			t.Errorf("the program was cut off: %+v", o)
		}
		if o := r.last("stop"); o.Status != messages.StatusCompleted || !*o.Result.Changed {
			t.Errorf("%+v", o)
		}
	})
}

func TestARevokeWaitsInNoLine(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		r.throw(ordered(messages.OpExec, "hangs", "web-rep-0", messages.Args{Cmd: []string{"sleep", "36000"}}))
		r.throw(ordered(messages.OpStop, "stop", "web-rep-0", messages.Args{}))
		synctest.Wait()
		if o := r.send(revoke("hangs", 1)); o.Status != messages.StatusRevoked {
			t.Errorf("%+v", o)
		}
		if o := r.last("stop"); o.Status != messages.StatusCompleted {
			t.Errorf("what came behind it: %+v", o)
		}
		r.throw(ordered(messages.OpExec, "hangs-2", "web-rep-0", messages.Args{Cmd: []string{"sleep", "36000"}}))
		r.throw(ordered(messages.OpStop, "stop-2", "web-rep-0", messages.Args{}))
		synctest.Wait()
		if o := r.send(revoke("stop-2", 1)); o.Status != messages.StatusRevoked {
			t.Errorf("what waits in the line is revoked: %+v", o)
		}
	})
}

func TestALineIsTakenUpInItsOrder(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		r.stop()
		r.written(placed(ordered(messages.OpRename, "b-first", "web-rep-0", messages.Args{NewName: "one"}), 1), journal.PhaseAccepted)
		time.Sleep(time.Millisecond)
		r.written(placed(ordered(messages.OpRename, "a-second", "web-rep-0", messages.Args{NewName: "two"}), 1), journal.PhaseAccepted)
		r.journal.Reopen()
		r.start()
		first, second := r.last("b-first"), r.last("a-second")
		if first.Status != messages.StatusCompleted || second.Status != messages.StatusCompleted || second.At.Before(first.At) {
			t.Errorf("%+v, %+v", first, second)
		}
		if o := r.op(messages.OpStop, "two", messages.Args{}); o.Status != messages.StatusCompleted || o.Result.Container != "web-rep-0" {
			t.Errorf("by its second name, which is the one that came last: %+v %+v", o, o.Error)
		}
	})
}

func TestARepeatLeavesTheLine(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		stop := ordered(messages.OpStop, "stop", "web-rep-0", messages.Args{})
		r.send(stop, messages.HeaderWait, "1m")
		r.send(stop)
		bad := ordered(messages.OpStop, "stop", "web-rep-0", messages.Args{Timeout: 1})
		if o := r.send(bad); o.Status != messages.StatusRejected {
			t.Errorf("%+v", o)
		}
		if o := r.op(messages.OpRemove, "web-rep-0", messages.Args{}); o.Status != messages.StatusCompleted {
			t.Errorf("%+v", o)
		}
	})
}

func TestALineHasAnEnd(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		exec := func(n int, cmd ...string) messages.Job {
			return ordered(messages.OpExec, fmt.Sprintf("exec-%d", n), "web-rep-0", messages.Args{Cmd: cmd})
		}
		for n := range 64 {
			if o := r.send(exec(n, "sleep", "60")); o.Status != messages.StatusAccepted {
				t.Fatalf("%d: %+v", n, o)
			}
		}
		if o := r.send(exec(64, "true")); o.Status != messages.StatusRejected || o.Error.Code != messages.CodeResourceExhausted || !o.Error.Retryable {
			t.Errorf("one more: %+v", o)
		}
		if o := r.send(exec(63, "sleep", "60")); o.Status != messages.StatusAccepted {
			t.Errorf("the last of them again: %+v", o)
		}
		if o := r.send(ordered(messages.OpExec, "elsewhere", "other-rep-0", messages.Args{Cmd: []string{"true"}})); o.Status != messages.StatusAccepted {
			t.Errorf("another container's: %+v", o)
		}
		if o := r.send(revoke("exec-0", 1)); o.Status != messages.StatusRevoked {
			t.Errorf("%+v", o)
		}
		if o := r.send(exec(64, "true")); o.Status != messages.StatusAccepted {
			t.Errorf("when one is over: %+v", o)
		}
	})
}
