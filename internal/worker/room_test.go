package worker_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

// sized is a job that asks for room.
func sized(id string, op messages.Op, cpu int64) messages.Job {
	job := placed(task(id, "sleep", "100"), 1)
	job.Op = op
	job.Spec.Resources.CPUMilli = cpu
	return job
}

// What was only created can be started at any time, so it keeps its room until
// it is removed.
func TestACreatedContainerHoldsItsRoom(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := sized("db", messages.OpCreate, 700)
		if o := r.send(job, messages.HeaderWait, "9s"); o.Status != messages.StatusCompleted {
			t.Fatalf("the create: %s %v", o.Status, o.Error)
		}
		for range 2 {
			if o := r.send(sized("web", messages.OpRun, 400)); o.Status != messages.StatusRouteToPeer || o.Route.Code != messages.RefuseCapacity {
				t.Errorf("beside it: %s %+v", o.Status, o.Route)
			}
			time.Sleep(time.Minute)
			if free := r.lastBeat().Free.CPUMilli; free != 300 {
				t.Errorf("the heartbeat says %d are free", free)
			}
			if n := r.lastBeat().Containers; n != 1 {
				t.Errorf("the heartbeat says %d containers", n)
			}
			r.restart()
		}
		remove := messages.Job{V: 1, ID: "rm", Op: messages.OpRemove, Container: "db-rep-0"}
		if o := r.send(remove, messages.HeaderWait, "9s"); o.Status != messages.StatusCompleted {
			t.Fatalf("the remove: %s %v", o.Status, o.Error)
		}
		if o := r.send(placed(sized("web", messages.OpRun, 1000), 2)); o.Status != messages.StatusAccepted {
			t.Errorf("when it is gone: %s %+v", o.Status, o.Route)
		}
	})
}

// A worker whose journal is new counts what runs here all the same.
func TestAContainerTheJournalDoesNotKnowHoldsItsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		job := sized("stray", messages.OpRun, 700)
		if err := memory.New(r.machine).Start(t.Context(), r.create(&job)); err != nil {
			t.Fatal(err)
		}
		r.start()
		if o := r.send(sized("web", messages.OpRun, 400)); o.Status != messages.StatusRouteToPeer {
			t.Errorf("beside it: %s", o.Status)
		}
		if o := r.send(revoke("stray", 1)); o.Status != messages.StatusRevoked {
			t.Fatalf("the revoke: %s %v", o.Status, o.Error)
		}
		if o := r.send(placed(sized("web", messages.OpRun, 1000), 2)); o.Status != messages.StatusAccepted {
			t.Errorf("when it is gone: %s", o.Status)
		}
	})
}

// Whatever comes and goes, at once and over restarts, the room that is handed
// out is never more than there is, and all of it comes back.
func TestRoomIsNeverHandedOutTwice(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inRig(t, func(t *testing.T, r *rig) {
				dice := rand.New(rand.NewPCG(seed, 1))
				using := map[string]int64{} // by job that was accepted, until it must have ended
				ends := map[string]time.Time{}
				for n := range 60 {
					for id, end := range ends {
						if !time.Now().Before(end) {
							delete(using, id)
							delete(ends, id)
						}
					}
					switch dice.IntN(8) {
					case 0:
						r.restart()
					case 1:
						time.Sleep(time.Duration(dice.IntN(40)) * time.Second)
					default:
						job := sized(fmt.Sprintf("j-%d", n), messages.OpRun, 50+dice.Int64N(500))
						seconds := 1 + dice.IntN(60)
						job.Spec.Entrypoint = []string{"sleep", fmt.Sprint(seconds)}
						if r.send(job).Status == messages.StatusAccepted {
							synctest.Wait() // a restart now does not interrupt it
							using[job.ID] = job.Spec.Resources.CPUMilli
							// While it may be going on for certain.
							ends[job.ID] = time.Now().Add(time.Duration(seconds) * time.Second)
						}
					}
					sum := int64(0)
					for _, cpu := range using {
						sum += cpu
					}
					if sum > 1000 {
						t.Fatalf("step %d: %d of 1000 are handed out", n, sum)
					}
				}
				time.Sleep(2 * time.Minute)
				if free := r.lastBeat().Free; free.CPUMilli != 1000 {
					t.Errorf("in the end %d are free", free.CPUMilli)
				}
			})
		})
	}
}
