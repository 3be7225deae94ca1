package placer_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// deaf is a placer that is given no outcomes.
func (y *yard) deaf(id string) (stop func()) {
	c := &cut{}
	c.set("consume "+root.Stream(messages.StreamOutcomes), true)
	return y.placer(id, c.with)
}

// An outcome that was dropped is asked for.
func TestAQuietJobIsAskedAbout(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.deaf("p1")
		y.box("linux-1")
		y.submit(task("web", "sleep", "5"))
		y.holds("it is done", 3*time.Minute, y.said("web"))
		if r := y.ended("web"); r.State != messages.StateCompleted || r.Attempt != 1 {
			t.Errorf("it is %s: %s", r.State, story(r))
		}
	})
}

func TestAQuietJobThatItsWorkerDoesNotKnowIsLost(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		one := y.box("linux-1")
		rec := messages.Record{V: 1, Job: task("web", "true"), State: messages.StateRunning, Node: "linux-1", Attempt: 3, Starts: 1, Created: time.Now(), Journal: one.journal.ID()}
		if _, err := y.client.Bucket(root.Stream(messages.BucketJobs)).Create(t.Context(), "web", encoded(t, rec)); err != nil {
			t.Fatal(err)
		}
		y.holds("it is lost", 3*time.Minute, y.said("web"))
		if r := y.ended("web"); r.State != messages.StateLost || !strings.Contains(r.Reason, "knows nothing of it") {
			t.Errorf("it is %s: %s", r.State, r.Reason)
		}
		y.holds("nothing is owed", time.Minute, func() bool { return len(y.left()) == 0 })
	})
}

// A job that runs on is asked about ever more rarely, and is none the worse for
// it.
func TestAJobThatRunsLongIsLeftAlone(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.placer("p1")
		one := y.box("linux-1")
		y.submit(service("web"))
		y.holds("it runs", time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		before := y.record("web")
		time.Sleep(time.Hour)
		if r := y.record("web"); !r.Updated.Equal(before.Updated) || one.runs("web") != 1 {
			t.Errorf("it is %s: %s", r.State, story(r))
		}
	})
}

// What a worker was sent directly, and no placer heard of, is found on it.
func TestAContainerWithoutARecordIsAdopted(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		one := y.box("linux-1")
		y.direct("linux-1", task("web", "sleep", "60"))
		synctest.Wait()
		y.deaf("p1")
		y.holds("it is adopted", 10*time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		if r := y.record("web"); r.Attempt != 1 || r.Fingerprint == "" || one.runs("web") != 1 {
			t.Errorf("it is %s: %s", r.State, story(r))
		}
		y.holds("it is done", 10*time.Minute, y.said("web"))
	})
}

// An attempt that runs although the record has moved on is revoked.
func TestAContainerOfAnOldAttemptIsRevoked(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		one, two := y.box("linux-1"), y.box("linux-2")
		old := service("web")
		old.Attempt = 1
		y.direct("linux-1", old)
		rec := messages.Record{V: 1, Job: service("web"), State: messages.StateAssigned, Node: "linux-2", Attempt: 2, Named: true, Created: time.Now()}
		if _, err := y.client.Bucket(root.Stream(messages.BucketJobs)).Create(t.Context(), "web", encoded(t, rec)); err != nil {
			t.Fatal(err)
		}
		y.deaf("p1")
		y.holds("one runs", 10*time.Minute, func() bool { return one.runs("web") == 0 && two.runs("web") == 1 })
	})
}

// That a successor runs may be dropped as well; without it the move would never
// come to its end.
func TestAQuietSuccessorIsAskedAbout(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		y.deaf("p1")
		y.box("linux-1")
		web := service("web")
		web.Target = "linux-1"
		y.submit(web)
		y.holds("it runs", 10*time.Minute, y.is("web", messages.StateRunning, "linux-1"))
		y.box("linux-2")
		verb[messages.DrainReply](y, messages.PlacerDrain, messages.DrainRequest{V: 1, Node: "linux-1"})
		y.holds("it has moved", 30*time.Minute, func() bool {
			r := y.record("web")
			return r.Node == "linux-2" && r.Successor == nil && r.State == messages.StateRunning
		})
	})
}
