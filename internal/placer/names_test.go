package placer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// named is a service under the name web.
func named(id string, replace bool) messages.Job {
	job := service(id)
	job.Service, job.Args.Replace = "web", replace
	return job
}

// claimant is who holds the name web, or "".
func (y *yard) claimant() string {
	y.t.Helper()
	found, err := y.client.Bucket(root.Stream(messages.BucketNames)).Get(context.Background(), "web.0")
	if errors.Is(err, bus.ErrNotFound) {
		return ""
	}
	if err != nil {
		y.t.Fatal(err)
	}
	var claim messages.NameClaim
	if err := json.Unmarshal(found.Value, &claim); err != nil {
		y.t.Fatal(err)
	}
	return claim.Job
}

func TestANameBelongsToOneLiveJob(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.placer("p2")
		y.box("linux-1")
		y.box("linux-2")
		y.submit(named("first", false))
		y.holds("it runs", time.Minute, func() bool { return y.record("first").State == messages.StateRunning })
		if r := y.record("first"); !r.Named || y.claimant() != "first" {
			t.Errorf("named: %v; the name belongs to %q", r.Named, y.claimant())
		}
		y.submit(named("second", false))
		if e := y.rejection("second"); e.Code != messages.CodeAlreadyExists || e.Field != "service" {
			t.Errorf("another job of that name: %v", e)
		}
		y.mu.Lock()
		for _, o := range y.outcomes {
			if o.Status == messages.StatusRejected && o.Op != messages.OpRun {
				t.Errorf("the rejection is of op %q, want run", o.Op)
			}
		}
		y.mu.Unlock()
		y.cancel("first")
		y.holds("it has ended", time.Minute, y.said("first"))
		synctest.Wait()
		if holder := y.claimant(); holder != "" {
			t.Errorf("after its end the name belongs to %q", holder)
		}
		y.submit(named("third", false))
		y.holds("the name is free", time.Minute, func() bool { return y.record("third").State == messages.StateRunning })
	})
}

func TestAJobReplacesTheHolderOfItsName(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		one := y.box("linux-1")
		y.submit(named("old", false))
		y.holds("it runs", time.Minute, func() bool { return y.record("old").State == messages.StateRunning })
		y.submit(named("new", true))
		y.holds("the new one runs", time.Minute, func() bool { return y.record("new").State == messages.StateRunning })
		if r := y.ended("old"); r.State != messages.StateCancelled || !strings.Contains(r.Reason, "replaced by new") {
			t.Errorf("the old one is %s: %s", r.State, r.Reason)
		}
		if one.runs("old") != 0 || one.runs("new") != 1 || y.claimant() != "new" {
			t.Errorf("old %d, new %d, the name belongs to %q", one.runs("old"), one.runs("new"), y.claimant())
		}
	})
}

// Whatever is cut off on the way to a name, the next placer goes on from there.
func TestAPlacerKilledAroundAClaim(t *testing.T) {
	for _, what := range []string{"names create", "jobs update", "names delete"} {
		t.Run(what, func(t *testing.T) {
			inYard(t, func(t *testing.T, y *yard) {
				c := &cut{}
				kill := y.placer("p1", c.with)
				y.box("linux-1")
				c.set(what, true)
				y.submit(named("web", false))
				time.Sleep(3 * time.Second)
				if what == "names delete" {
					y.cancel("web")
					y.holds("it has ended", time.Minute, y.said("web"))
					if y.claimant() != "web" {
						t.Errorf("the name belongs to %q", y.claimant())
					}
				}
				kill()
				y.placer("p2")
				if what != "names delete" {
					y.holds("it runs", 2*time.Minute, y.is("web", messages.StateRunning, "linux-1"))
					y.cancel("web")
				}
				y.holds("nothing is left", 2*time.Minute, func() bool { return len(y.left()) == 0 && y.claimant() == "" })
				if r := y.ended("web"); r.State != messages.StateCancelled {
					t.Errorf("it is %s: %s", r.State, story(r))
				}
			})
		})
	}
}

// Of many jobs that ask for one name at the same time, over two placers, one has
// it, and one at most is beside it.
func TestManyJobsOfOneNameOverTwoPlacers(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.placer("p2")
		one, two := y.box("linux-1"), y.box("linux-2")
		for i := range 10 {
			y.submit(named(fmt.Sprintf("web-%d", i), true))
		}
		live := func() (running, waiting int) {
			for _, r := range verb[messages.JobsReply](y, messages.PlacerJobs, messages.JobsRequest{V: 1}).Jobs {
				if r.State == messages.StateRunning {
					running++
				} else {
					waiting++
				}
			}
			return running, waiting
		}
		y.holds("one of them has the name, and the others have ended", 10*time.Minute, func() bool {
			running, waiting := live()
			containers := 0
			for i := range 10 {
				id := fmt.Sprintf("web-%d", i)
				containers += one.runs(id) + two.runs(id)
			}
			if containers > 2 {
				t.Errorf("%d containers of one name run", containers)
			}
			return running == 1 && waiting == 0 && containers == 1
		})
	})
}

// A node that was given a job directly cannot know that its name is another
// job's, on another node. The one adopted second is revoked.
func TestADirectJobUnderATakenNameIsRevoked(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.box("linux-1")
		two := y.box("linux-2")
		first := named("first", false)
		first.Target = "linux-1"
		y.submit(first)
		y.holds("it runs", time.Minute, y.is("first", messages.StateRunning, "linux-1"))
		if o := y.direct("linux-2", named("second", false)); o.Status != messages.StatusAccepted {
			t.Fatalf("the direct one is %s", o.Status)
		}
		y.holds("the second has ended", time.Minute, y.said("second"))
		if r := y.ended("second"); r.State != messages.StateFailed || !strings.Contains(r.Reason, "web-rep-0 belongs to job first") {
			t.Errorf("the second is %s: %s", r.State, r.Reason)
		}
		if two.runs("second") != 0 || y.claimant() != "first" || y.record("first").State != messages.StateRunning {
			t.Errorf("second runs %d times, the name belongs to %q", two.runs("second"), y.claimant())
		}
	})
}

// A name may have found another job by the time its old one is to live again.
func TestARetryDoesNotTakeANameThatIsHeld(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.box("linux-1")
		y.submit(named("old", false))
		y.holds("it runs", time.Minute, y.is("old", messages.StateRunning, "linux-1"))
		y.cancel("old")
		y.holds("it has ended", time.Minute, y.said("old"))
		y.submit(named("new", false))
		y.holds("the new one runs", time.Minute, y.is("new", messages.StateRunning, "linux-1"))
		if e := y.refused(messages.PlacerRetry, messages.JobRequest{V: 1, ID: "old"}); !strings.HasPrefix(e, "already_exists") || !strings.Contains(e, "belongs to job new") {
			t.Errorf("the retry: %s", e)
		}
		y.cancel("new")
		y.holds("the new one has ended", time.Minute, y.said("new"))
		if r := verb[messages.Record](y, messages.PlacerRetry, messages.JobRequest{V: 1, ID: "old"}); r.State.Ended() || r.Retries != 1 {
			t.Errorf("once the name is free, the retry is %s", r.State)
		}
	})
}
