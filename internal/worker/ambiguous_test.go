package worker_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// unsureJournal writes, and says once that it could not.
type unsureJournal struct {
	journal.Journal
	fails atomic.Bool
}

func (j *unsureJournal) Write(a journal.Attempt, publish ...messages.Outcome) error {
	err := j.Journal.Write(a, publish...)
	if j.fails.CompareAndSwap(true, false) {
		return errDisk
	}
	return err
}

// An acceptance that was written although the journal said otherwise is owed: it
// must not be answered from the journal and then carried out by nobody.
func TestAnAcceptanceThatWasWrittenAfterAllIsCarriedOut(t *testing.T) {
	j := &unsureJournal{}
	inRig(t, func(t *testing.T, r *rig) {
		j.fails.Store(true)
		if o := r.send(placed(task("web", "true"), 1)); o.Status != messages.StatusRejected || !o.Error.Retryable {
			t.Fatalf("answered %s %v", o.Status, o.Error)
		}
		if o := r.send(placed(task("web", "true"), 1)); o.Status != messages.StatusAccepted {
			t.Fatalf("the same again: %s %v", o.Status, o.Error)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if o := r.last("web"); o.Status != messages.StatusCompleted {
			t.Errorf("it ends %s", o.Status)
		}
	}, func(c *worker.Config) {
		j.Journal = c.Journal
		c.Journal = j
	})
}
