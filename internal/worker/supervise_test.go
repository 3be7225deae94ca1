package worker_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

// crashing is a job whose container ends with code 3 after some seconds, and may
// be started again.
func crashing(id string, kind messages.Kind, limit int) messages.Job {
	job := placed(task(id, "sh", "-c", "echo up; sleep 4; exit 3"), 1)
	job.Kind = kind
	job.Spec.Restart = &messages.Restart{Policy: messages.RestartOnFailure, Max: limit}
	return job
}

// told are the events about a job, as "kind" or "kind (message)", but for those
// that come before its container runs.
func (r *rig) told(job string) func() string {
	var mu sync.Mutex
	var seen []string
	r.subscribe(root.Event("linux-1", "*"), func(m bus.Message) {
		ev, err := messages.Decode[messages.Event](m.Data)
		if err != nil {
			r.t.Error(err)
		}
		switch ev.Kind {
		case messages.EventAccepted, messages.EventPulling, messages.EventPulled, messages.EventCreated:
			return
		}
		if ev.Job != job {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, strings.TrimSuffix(fmt.Sprintf("%s (%s)", ev.Kind, ev.Message), " ()"))
	})
	return func() string {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return strings.Join(seen, ", ")
	}
}

func TestAContainerIsRestartedBeforeTheFleetHearsOfAFailure(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		told := r.told("web")
		r.send(crashing("web", messages.KindTask, 3))
		time.Sleep(time.Minute)
		if got := r.said("web"); got != "1.2 failed" {
			t.Fatalf("said: %s", got)
		}
		const exited = "exited (exit code 3 (exited))"
		want := strings.Join([]string{
			"started", exited, "restarted (restart 1)", exited, "restarted (restart 2)", exited, "restarted (restart 3)", exited, "removed",
		}, ", ")
		if got := told(); got != want {
			t.Errorf("told:\n%s\nwant:\n%s", got, want)
		}
		if o := r.last("web"); *o.Result.ExitCode != 3 || o.Result.Restarts != 3 || o.Error != nil {
			t.Errorf("its last outcome is %+v, %+v", o.Result, o.Error)
		}
		if r.faulty.creates != 1 {
			t.Errorf("%d containers were made, want one that is started again", r.faulty.creates)
		}
	})
}

// A worker that is killed while a container waits goes on waiting, for what is
// left; one that is killed over its start finds it started.
func TestAWorkerKilledInABackoff(t *testing.T) {
	for name, killed := range map[string]func(r *rig){
		"in the backoff":             func(*rig) { time.Sleep(500 * time.Millisecond) },
		"when the backoff is over":   func(r *rig) { r.stop(); time.Sleep(time.Minute) },
		"after it was started again": func(r *rig) { r.kill(); r.startBehind("web"); time.Sleep(time.Second) },
		"after that one has ended":   func(r *rig) { r.kill(); r.startBehind("web"); time.Sleep(time.Minute) },
		"again and again":            func(r *rig) { r.again(); r.again(); r.again() },
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(t *testing.T, r *rig) {
				r.send(crashing("web", messages.KindTask, 2))
				time.Sleep(4100 * time.Millisecond) // it has ended for the first time
				killed(r)
				r.again()
				time.Sleep(2 * time.Minute)
				if got := r.said("web"); got != "1.2 failed" {
					t.Errorf("said: %s", got)
				}
				if o := r.last("web"); o.Result == nil || o.Result.Restarts != 2 || *o.Result.ExitCode != 3 {
					t.Errorf("its last outcome is %+v", o)
				}
				if got := r.starts("web"); got != 3 {
					t.Errorf("it was started %d times, want once and two times again", got)
				}
			})
		})
	}
}

// kill ends the worker as SIGKILL does: nothing it does later has any effect.
func (r *rig) kill() {
	r.journal.Crash()
	r.stop()
}

// again kills the worker, if it is there, and starts the next one.
func (r *rig) again() {
	r.t.Helper()
	if r.w != nil {
		r.kill()
	}
	r.journal.Reopen()
	r.start()
}

// startBehind starts a container behind the worker's back.
func (r *rig) startBehind(service string) {
	if err := memory.New(r.machine).Start(r.t.Context(), runtime.ContainerID{Service: service}); err != nil {
		r.t.Error(err)
	}
}

// starts counts the runs of a container by what it has printed.
func (r *rig) starts(service string) (n int) {
	r.t.Helper()
	for _, err := range memory.New(r.machine).Logs(r.t.Context(), runtime.ContainerID{Service: service}, runtime.LogOptions{Tail: -1}) {
		if err != nil {
			r.t.Fatal(err)
		}
		n++
	}
	return n
}
