package worker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

// inBackoff runs a test while a service, which may be started again for ever,
// waits for its first restart.
func inBackoff(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	inRig(t, func(t *testing.T, r *rig) {
		job := crashing("web", messages.KindService, 0)
		job.Spec.Restart.Delay = messages.Duration(20 * time.Second)
		r.send(job)
		time.Sleep(5 * time.Second)
		if got := r.containers(); got != "web-rep-0 exited" {
			t.Fatalf("there is %q", got)
		}
		test(t, r)
	})
}

func TestAStopEndsABackoff(t *testing.T) {
	inBackoff(t, func(t *testing.T, r *rig) {
		o := r.send(on("web-rep-0", messages.OpStop, messages.Args{}), messages.HeaderWait, wait)
		if o.Status != messages.StatusCompleted || !*o.Result.Changed || o.Result.State != "exited" {
			t.Errorf("the stop is %s %+v", o.Status, o.Result)
		}
		time.Sleep(time.Hour)
		if got := r.said("web"); got != "1.2 running, 1.3 completed" {
			t.Errorf("said: %s", got)
		}
		if got := r.containers(); got != "" {
			t.Errorf("left behind: %q", got)
		}
	})
}

func TestAStartEndsABackoff(t *testing.T) {
	inBackoff(t, func(t *testing.T, r *rig) {
		o := r.send(on("web-rep-0", messages.OpStart, messages.Args{}), messages.HeaderWait, wait)
		if o.Status != messages.StatusCompleted || o.Result.State != "running" {
			t.Errorf("the start is %s %+v", o.Status, o.Result)
		}
		time.Sleep(2 * time.Second)
		if got := r.containers(); got != "web-rep-0 running" || r.starts("web") != 2 {
			t.Errorf("after the start: %q, started %d times", got, r.starts("web"))
		}
		time.Sleep(30 * time.Second)
		if got := r.starts("web"); got != 2 {
			t.Errorf("it was started %d times within the second delay", got)
		}
		time.Sleep(20 * time.Second)
		if got := r.starts("web"); got != 3 {
			t.Errorf("after the second delay it was started %d times", got)
		}
	})
}

func TestWhatWaitsForItsRestartIsRemovedByForceOnly(t *testing.T) {
	inBackoff(t, func(t *testing.T, r *rig) {
		o := r.send(on("web-rep-0", messages.OpRemove, messages.Args{}), messages.HeaderWait, wait)
		if o.Status != messages.StatusFailed || o.Error.Code != messages.CodeFailedPrecondition {
			t.Errorf("a remove is %s, %+v", o.Status, o.Error)
		}
		force := on("web-rep-0", messages.OpRemove, messages.Args{Force: true})
		force.ID = "by-force"
		o = r.send(force, messages.HeaderWait, wait)
		if o.Status != messages.StatusCompleted || r.last("web").Status != messages.StatusCompleted {
			t.Errorf("the remove is %s, the service %s", o.Status, r.last("web").Status)
		}
	})
}

func TestARevokeEndsABackoff(t *testing.T) {
	inBackoff(t, func(t *testing.T, r *rig) {
		if o := r.send(revoke("web", 1)); o.Status != messages.StatusRevoked {
			t.Errorf("the revoke is %s", o.Status)
		}
		time.Sleep(time.Hour)
		if got := r.containers(); got != "" {
			t.Errorf("left behind: %q", got)
		}
	})
}

// A kill is a signal and no more: what follows is the policy's.
func TestAKillLeavesItToThePolicy(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := placed(task("web", "sh", "-c", "echo up; sleep 3600"), 1)
		job.Spec.Restart = &messages.Restart{Policy: messages.RestartOnFailure}
		r.send(job)
		time.Sleep(time.Second)
		o := r.send(on("web-rep-0", messages.OpKill, messages.Args{}), messages.HeaderWait, wait)
		time.Sleep(2 * time.Second)
		if o.Status != messages.StatusCompleted || r.starts("web") != 2 || r.said("web") != "" {
			t.Errorf("the kill is %s, it was started %d times and has said: %s", o.Status, r.starts("web"), r.said("web"))
		}
	})
}

// What was stopped stays so, even if the worker is killed before it has seen the
// end.
func TestAStoppedServiceIsNotRestartedByTheNextWorker(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := placed(service("web", "sh", "-c", "echo up; sleep 3600"), 1)
		job.Spec.Restart = &messages.Restart{Policy: messages.RestartAlways}
		job.Spec.StopGrace = messages.Duration(time.Minute)
		r.send(job)
		r.faulty.setDeafToStop(true)
		r.send(on("web-rep-0", messages.OpStop, messages.Args{}))
		time.Sleep(time.Second)
		r.kill()
		if err := memory.New(r.machine).Stop(t.Context(), runtime.ContainerID{Service: "web"}, 0); err != nil {
			t.Fatal(err)
		}
		r.again()
		time.Sleep(time.Minute)
		if got := r.said("web"); got != "1.2 running, 1.3 completed" || r.starts("web") != 1 {
			t.Errorf("it was started %d times and has said: %s", r.starts("web"), got)
		}
	})
}

// What was given up because it was not healthy has failed for that reason, even if
// the worker is killed before it has seen the end: another node may do better.
func TestAnUnhealthyServiceThatIsStoppedStaysOneForTheNextWorker(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := placed(service("web", "sh", "-c", "echo up; sleep 3600"), 1)
		job.Spec.StopGrace = messages.Duration(time.Minute)
		job.Spec.Health = &messages.Health{Command: []string{"true"}, Interval: messages.Duration(time.Second), Retries: 2}
		r.faulty.setSick("no database")
		r.faulty.setDeafToStop(true)
		r.send(job)
		time.Sleep(30 * time.Second)
		r.kill()
		if err := memory.New(r.machine).Stop(t.Context(), runtime.ContainerID{Service: "web"}, 0); err != nil {
			t.Fatal(err)
		}
		r.faulty.setDeafToStop(false)
		r.again()
		time.Sleep(time.Minute)
		if o := r.last("web"); o.Status != messages.StatusFailed || o.Error == nil || !o.Error.Retryable || !strings.Contains(o.Error.Message, "not healthy") {
			t.Errorf("it is %s: %+v %+v", o.Status, o.Error, o.Result)
		}
	})
}

func TestATimeoutCoversTheRestarts(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		told := r.told("web")
		job := crashing("web", messages.KindTask, 0)
		job.Timeout = messages.Duration(12 * time.Second)
		o := r.send(job, messages.HeaderWait, wait)
		if o.Status != messages.StatusFailed || o.Result.ExitReason != messages.ExitTimeout {
			t.Errorf("it ends with %s, %+v: %s", o.Status, o.Result, told())
		}
		time.Sleep(time.Hour)
		if got := r.containers(); got != "" {
			t.Errorf("left behind: %q", got)
		}
	})
}
