package placer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// slowly makes a service healthy only some seconds after it was started.
func slowly(job messages.Job) messages.Job {
	job.Spec.Health = &messages.Health{Command: []string{"sleep", "4"}, Timeout: messages.Duration(5 * time.Second)}
	return job
}

// Of the two one always runs, and the name is the old one's until the new one is
// healthy.
func TestAServiceIsReplacedMakeBeforeBreak(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.placer("p2")
		one, two := y.box("linux-1"), y.box("linux-2")
		old := named("old", false)
		old.Target = "linux-1"
		y.submit(old)
		y.holds("it runs", time.Minute, y.is("old", messages.StateRunning, "linux-1"))
		y.submit(slowly(named("new", true)))
		both := false
		y.holds("the new one has the name", time.Minute, func() bool {
			running := one.runs("old") + two.runs("new")
			if both = both || running == 2; running == 0 {
				t.Fatal("neither runs")
			}
			if y.claimant() == "old" && one.runs("old") == 0 {
				t.Fatal("the one that has the name does not run")
			}
			return y.claimant() == "new"
		})
		if r := y.record("new"); !r.Healthy || !both {
			t.Errorf("the new one was healthy: %v; they overlapped: %v", r.Healthy, both)
		}
		y.holds("the old one has ended", time.Minute, y.said("old"))
		if r := y.ended("old"); r.State != messages.StateCancelled || !strings.Contains(r.Reason, "replaced by new") {
			t.Errorf("the old one is %s: %s", r.State, r.Reason)
		}
		y.holds("nothing is owed", time.Minute, func() bool { return y.record("new").Replaces == nil })
		if one.runs("old") != 0 || one.runs("new")+two.runs("new") != 1 || y.claimant() != "new" {
			t.Errorf("the name belongs to %q", y.claimant())
		}
	})
}

// A replacement that never is up has harmed nobody.
func TestWhatComesOfAReplacementThatFails(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		one := y.box("linux-1")
		y.box("linux-2")
		y.submit(named("old", false))
		y.holds("it runs", time.Minute, func() bool { return y.record("old").State == messages.StateRunning })
		home := y.record("old").Node
		fails := named("fails", true)
		fails.Spec.Entrypoint = []string{"sh", "-c", "sleep 1; exit 3"}
		fails.Spec.Image = "team/tool:1"
		fails.Spec.Health = &messages.Health{Command: []string{"exit", "1"}}
		y.submit(fails)
		y.holds("it has failed", time.Minute, y.said("fails"))
		nobody := named("nobody", true)
		nobody.Spec.Image = "team/arm:1"
		y.submit(nobody)
		y.holds("it waits", time.Minute, func() bool { return strings.Contains(y.record("nobody").Reason, "goes on meanwhile") })
		time.Sleep(time.Minute)
		if r := y.record("old"); r.State != messages.StateRunning || r.Node != home || r.Attempt != 1 || y.claimant() != "old" {
			t.Errorf("the old one is %s on %s, attempt %d; the name belongs to %q: %s", r.State, r.Node, r.Attempt, y.claimant(), story(r))
		}
		if home == "linux-1" && one.runs("old") != 1 {
			t.Error("it does not run")
		}
	})
}

// The one before comes back in the place of its replacement in the same way.
func TestARetryReplacesMakeBeforeBreak(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		one, two := y.box("linux-1"), y.box("linux-2")
		y.submit(slowly(named("old", true)))
		y.holds("it runs", time.Minute, func() bool { return y.record("old").State == messages.StateRunning && y.claimant() == "old" })
		y.submit(slowly(named("new", true)))
		y.holds("the new one is alone", time.Minute, func() bool { return y.said("old")() && y.record("new").Replaces == nil })
		verb[messages.Record](y, messages.PlacerRetry, messages.JobRequest{V: 1, ID: "old"})
		y.holds("the old one is back", time.Minute, func() bool {
			if one.runs("old")+one.runs("new")+two.runs("old")+two.runs("new") == 0 {
				t.Fatal("neither runs")
			}
			return y.claimant() == "old" && y.said("new")()
		})
		if r := y.record("old"); r.State != messages.StateRunning || r.Retries != 1 {
			t.Errorf("the old one is %s: %s", r.State, story(r))
		}
	})
}

// Wherever a placer is killed on the way, the next one goes on from there: in the
// end the new one runs, has the name, and is alone.
func TestAPlacerKilledWhileAServiceIsReplaced(t *testing.T) {
	for _, what := range []string{"names update", "jobs update", "jobs delete", "names delete", string(root) + ".done", string(root) + ".cmd"} {
		for _, from := range []time.Duration{0, 2 * time.Second, 4500 * time.Millisecond} {
			t.Run(what+" after "+from.String(), func(t *testing.T) {
				inYard(t, func(t *testing.T, y *yard) {
					c := &cut{}
					kill := y.placer("p1", c.with)
					one, two := y.box("linux-1"), y.box("linux-2")
					y.submit(named("old", false))
					y.holds("it runs", time.Minute, func() bool { return y.record("old").State == messages.StateRunning })
					y.submit(slowly(named("new", true)))
					time.Sleep(from)
					c.set(what, true)
					time.Sleep(8 * time.Second)
					if n := one.runs("old") + one.runs("new") + two.runs("old") + two.runs("new"); n == 0 {
						t.Error("neither runs")
					}
					kill()
					y.placer("p2")
					y.holds("the new one is alone", 5*time.Minute, func() bool {
						return y.said("old")() && y.claimant() == "new" && one.runs("old")+two.runs("old") == 0 && one.runs("new")+two.runs("new") == 1
					})
					y.holds("nothing is owed", 5*time.Minute, func() bool { return len(y.left()) == 1 && y.record("new").Replaces == nil })
				})
			})
		}
	}
}

// The name goes from the one that ends to the one that was next, and to nobody in
// between.
func TestTheNextInLineInheritsTheName(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.box("linux-1")
		y.box("linux-2")
		y.submit(named("old", false))
		y.holds("it runs", time.Minute, func() bool { return y.record("old").State == messages.StateRunning })
		never := named("new", true)
		never.Spec.Health = &messages.Health{Command: []string{"exit", "1"}}
		y.submit(never)
		y.holds("the new one is beside it", time.Minute, func() bool { return y.record("new").State == messages.StateRunning })
		y.cancel("old")
		y.holds("the old one has ended", time.Minute, y.said("old"))
		if holder := y.claimant(); holder != "new" {
			t.Errorf("then the name belongs to %q", holder)
		}
		y.submit(named("third", false))
		if e := y.rejection("third"); e.Code != messages.CodeAlreadyExists || !strings.Contains(e.Message, "belongs to job new") {
			t.Errorf("another job of that name: %v", e)
		}
	})
}

// A replacement that is cancelled when it has the name, and nobody has told its
// record, gives it back to the one before, which goes on.
func TestAReplacementThatEndsAsItTakesOverGivesTheNameBack(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		kill := y.placer("p1")
		y.box("linux-1")
		y.submit(named("old", false))
		y.holds("it runs", time.Minute, y.is("old", messages.StateRunning, "linux-1"))
		y.box("linux-2")
		kill()
		names, jobs := y.client.Bucket(root.Stream(messages.BucketNames)), y.client.Bucket(root.Stream(messages.BucketJobs))
		claim, err := names.Get(t.Context(), "web.0")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := names.Update(t.Context(), "web.0", []byte(`{"job": "new"}`), claim.Revision); err != nil {
			t.Fatal(err)
		}
		rec := messages.Record{
			V: 1, Job: named("new", true), State: messages.StateCancelling, Node: "linux-2", Attempt: 1, Starts: 1,
			Healthy: true, Created: time.Now(), Replaces: &messages.Replaced{Job: "old", Node: "linux-1"},
		}
		if _, err := jobs.Create(t.Context(), "new", encoded(t, rec)); err != nil {
			t.Fatal(err)
		}
		y.placer("p2")
		y.holds("the new one has ended", time.Minute, y.said("new"))
		y.holds("the name is given back", time.Minute, func() bool { return y.claimant() == "old" })
		if r := y.record("old"); r.State != messages.StateRunning {
			t.Errorf("the old one is %s: %s", r.State, story(r))
		}
	})
}

// A life of a job that was replaced is over for good: another one that begins at
// once, before anybody has noted that, takes the name back and keeps it.
func TestARetryRightAfterAReplacement(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		y.box("linux-1")
		y.box("linux-2")
		y.submit(named("old", true))
		y.holds("it runs", time.Minute, func() bool { return y.claimant() == "old" && y.record("old").Healthy })
		y.submit(slowly(named("new", true)))
		y.holds("the old one has ended", time.Minute, y.said("old"))
		verb[messages.Record](y, messages.PlacerRetry, messages.JobRequest{V: 1, ID: "old"})
		y.holds("the new one has ended", time.Minute, y.said("new"))
		time.Sleep(2 * time.Minute)
		if r := y.record("old"); r.State != messages.StateRunning || y.claimant() != "old" || r.Replaces != nil {
			t.Errorf("the old one is %s (%s), and the name belongs to %q: %s", r.State, r.Reason, y.claimant(), story(r))
		}
	})
}
