package worker_test

import (
	"fmt"
	goruntime "runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// atWork is how many commands the worker has a goroutine for.
func atWork() int {
	synctest.Wait()
	stacks := make([]byte, 16<<20)
	return strings.Count(string(stacks[:goruntime.Stack(stacks, true)]), ".(*Worker).command(")
}

// shoot sends a command without waiting for its answer, which comes under the
// name that is given.
func (r *rig) shoot(job messages.Job, name string) {
	r.t.Helper()
	data, err := messages.Encode(job)
	if err == nil {
		err = r.client.Publish(r.t.Context(), bus.Message{Subject: root.Command("linux-1"), Reply: "answers." + name, Data: data})
	}
	if err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

// answers counts what comes back to shoot, by name and status.
func (r *rig) answers() func() map[string]int {
	got := map[string]int{}
	r.subscribe("answers.*", func(m bus.Message) {
		o, err := messages.Decode[messages.Outcome](m.Data)
		if err != nil {
			r.t.Errorf("the answer is no outcome: %v\n%s", err, m.Data)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		status := string(o.Status)
		if o.Error != nil {
			status = fmt.Sprintf("%s, retryable: %t", o.Error.Code, o.Error.Retryable)
		}
		got[strings.TrimPrefix(m.Subject, "answers.")+": "+status]++
	})
	return func() map[string]int {
		synctest.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		return got
	}
}

// Whatever the runtime does, a revoke that is sent again and again is carried
// out once, and those who wait for it are few.
func TestRepeatsOfARevokeJoinTheOneThatHangs(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		answers := r.answers()
		goOn := r.faulty.hangs()
		for i := range 100 {
			name := "early"
			if i >= 92 {
				name = "late"
			}
			r.shoot(revoke("web", 2), name)
			time.Sleep(5 * time.Second)
		}
		if n := atWork(); n != 1 {
			t.Errorf("%d commands are at work after 100 repeats", n)
		}
		if got := answers(); len(got) != 1 || got["early: unavailable, retryable: true"] != 92 {
			t.Errorf("while it hangs, answered: %v", got)
		}
		goOn()
		if got := answers(); got["late: revoked"] != 8 || len(got) != 2 {
			t.Errorf("in the end, answered: %v", got)
		}
		if got := r.said("web"); got != "2.1 revoked" {
			t.Errorf("said: %s", got)
		}
		r.shoot(revoke("web", 2), "again")
		if got := answers(); got["again: revoked"] != 1 || atWork() != 0 {
			t.Errorf("a repeat after that: %v", got)
		}
	})
}

// Nor do commands gather that wait for their turn behind it.
func TestWhatComesBehindAHangingRevokeIsSentBack(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		answers := r.answers()
		goOn := r.faulty.hangs()
		r.shoot(revoke("web", 2), "revoke")
		for range 100 {
			r.shoot(placed(task("web", "true"), 3), "next")
			r.shoot(revoke("web", 3), "higher")
			time.Sleep(5 * time.Second)
		}
		if n := atWork(); n > 5 {
			t.Errorf("%d commands are at work", n)
		}
		if got := answers()["next: unavailable, retryable: true"]; got < 90 {
			t.Errorf("of 100 commands behind it %d were sent back", got)
		}
		if o := r.send(placed(task("other", "true"), 1)); o.Status != messages.StatusAccepted {
			t.Errorf("another job is answered %s %v", o.Status, o.Error)
		}
		goOn()
		time.Sleep(time.Minute)
		if got := answers(); got["revoke: revoked"] != 1 || atWork() != 0 {
			t.Errorf("in the end, answered: %v; at work: %d", got, atWork())
		}
		if o := r.send(revoke("web", 3)); o.Status != messages.StatusRevoked {
			t.Errorf("the higher one is answered %s %v", o.Status, o.Error)
		}
	})
}
