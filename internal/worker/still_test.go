package worker_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A command that waited while the machine slept is of a time that is over: the
// node has been called lost meanwhile, and the job may be elsewhere. It is taken
// when it comes again.
func TestACommandThatWaitedWhileTheMachineSleptIsSentBack(t *testing.T) {
	inGuardedRig(t, func(t *testing.T, r *guarded) {
		time.Sleep(5 * time.Second)
		r.clock.sleep(time.Minute)
		o := r.send(placed(task("a", "true"), 1))
		if o.Status != messages.StatusRejected || o.Error == nil || !o.Error.Retryable {
			t.Fatalf("it is %s: %v", o.Status, o.Error)
		}
		if o := r.send(task("direct", "true")); o.Status != messages.StatusAccepted {
			t.Errorf("a direct command is %s", o.Status)
		}
		if o := r.send(revoke("b", 3)); o.Status != messages.StatusRevoked {
			t.Errorf("a revoke is %s", o.Status)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if o := r.send(placed(task("a", "true"), 1)); o.Status != messages.StatusAccepted {
			t.Errorf("sent again it is %s: %v", o.Status, o.Error)
		}
	})
}
