package placer_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A placer whose copy of a record is old places nothing by it: the record has
// another owner by now.
func TestAnOldCopyHandsNothingOver(t *testing.T) {
	inYard(t, func(t *testing.T, y *yard) {
		c, jobs := &cut{}, y.client.Bucket(root.Stream(messages.BucketJobs))
		y.placer("p1", c.with)
		rec := messages.Record{V: 1, Job: task("web", "sleep", "3600"), State: messages.StatePending, Reason: "no node can take it", Created: time.Now()}
		first, err := jobs.Create(t.Context(), "web", encoded(t, rec))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		c.set("watch", true)
		rec.State, rec.Attempt, rec.Node = messages.StateRunning, 1, "linux-9" // by another placer
		if _, err := jobs.Update(t.Context(), "web", encoded(t, rec), first); err != nil {
			t.Fatal(err)
		}
		one := y.box("linux-1") // now this one would place it
		time.Sleep(5 * time.Second)
		if r := y.record("web"); r.Node != "linux-9" || r.Attempt != 1 || one.runs("web") != 0 {
			t.Errorf("it is %s on %s as attempt %d, and linux-1 runs %d", r.State, r.Node, r.Attempt, one.runs("web"))
		}
	})
}
