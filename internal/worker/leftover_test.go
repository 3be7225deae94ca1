package worker_test

import (
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

// What an attempt made, and could not start, does not stand in the way of the
// next one: it may be kept for long.
func TestWhatWasNeverStartedMakesRoomForTheNextAttempt(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := placed(task("web", "true"), 1)
		id := runtime.ContainerID{Service: "web"}
		opts := runtime.CreateOptions{Owner: runtime.Owner{Job: "web", Attempt: 1}}
		rt := memory.New(r.machine)
		if _, err := rt.Pull(t.Context(), job.Spec.Image, runtime.PullOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := rt.Create(t.Context(), id, job.Spec, opts); err != nil {
			t.Fatal(err)
		}
		if o := r.send(placed(task("web", "true"), 2), messages.HeaderWait, "1m"); o.Status != messages.StatusCompleted {
			t.Errorf("the next attempt ends %s %v", o.Status, o.Error)
		}
		time.Sleep(time.Minute)
		if got := r.containers(); got != "" {
			t.Errorf("left: %s", got)
		}
	})
}

// Another job's stays, started or not.
func TestWhatAnotherJobMadeIsNotMadeRoomOf(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		create := placed(task("made", "true"), 1)
		create.Op, create.Service = messages.OpCreate, "web"
		if o := r.send(create, messages.HeaderWait, "1m"); o.Status != messages.StatusCompleted {
			t.Fatalf("create ends %s %v", o.Status, o.Error)
		}
		if o := r.send(placed(task("web", "true"), 1), messages.HeaderWait, "1m"); o.Status != messages.StatusFailed || o.Error.Code != messages.CodeAlreadyExists {
			t.Errorf("the other ends %s %v", o.Status, o.Error)
		}
		if got := r.containers(); got != "web-rep-0 created" && got != "web-rep-0 pending" {
			t.Errorf("left: %s", got)
		}
	})
}
