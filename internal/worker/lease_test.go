package worker_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/guard"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

// machineClock is virtual time and the time that the machine has slept.
type machineClock struct {
	begun time.Time
	mu    sync.Mutex
	slept time.Duration
}

func (c *machineClock) Now() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Hour + time.Since(c.begun) + c.slept
}

// sleep is what a suspend looks like to a process: no timer has fired.
func (c *machineClock) sleep(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept += d
}

// guarded is a rig whose worker has a guard.
type guarded struct {
	*rig
	clock *machineClock
	guard *guard.Memory
}

func inGuardedRig(t *testing.T, test func(t *testing.T, r *guarded)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &guarded{clock: &machineClock{begun: time.Now()}}
		r.rig = newRig(t)
		r.guard = guard.NewMemory(memory.New(r.machine), r.clock, r.cfg.Logger)
		defer r.guard.Close()
		r.cfg.Guard, r.cfg.Clock = r.guard, r.clock
		r.start()
		test(t, r)
		r.stop()
	})
}

// stops is a job that asks to be stopped when its node is cut off.
func stops(id string, cmd ...string) messages.Job {
	job := placed(task(id, cmd...), 1)
	job.Policy.OnPartition = messages.PartitionStop
	return job
}

// lost declares the node lost, as a placer does.
func (r *rig) lost(t *testing.T) {
	t.Helper()
	synctest.Wait() // a renewal that is due just now comes first
	last, err := r.client.Last(t.Context(), root.Stream(messages.StreamLeases), root.Lease("linux-1"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := messages.Encode(messages.Lease{V: 1, Node: "linux-1", At: time.Now(), TTL: messages.Duration(10 * time.Second), LostBy: "placer-1"})
	if err != nil {
		t.Fatal(err)
	}
	m := bus.Message{Subject: root.Lease("linux-1"), Data: data, Header: bus.Header{messages.HeaderExpectSeq: fmt.Sprint(last.Sequence)}}
	if _, err := r.client.Append(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func TestALeaseIsKeptWhileThereIsABus(t *testing.T) {
	inGuardedRig(t, func(t *testing.T, r *guarded) {
		if o := r.send(stops("web", "sleep", "600")); o.Status != messages.StatusAccepted {
			t.Fatalf("answered %s %v", o.Status, o.Error)
		}
		last, err := r.client.Last(t.Context(), root.Stream(messages.StreamLeases), root.Lease("linux-1"))
		if err != nil {
			t.Fatalf("accepted without a lease: %v", err)
		}
		l, err := messages.Decode[messages.Lease](last.Data)
		if err != nil || l.Node != "linux-1" || l.TTL.Std() != 10*time.Second || l.LostBy != "" || l.Incarnation == "" {
			t.Errorf("the lease says %+v (%v)", l, err)
		}
		time.Sleep(time.Minute)
		again, err := r.client.Last(t.Context(), root.Stream(messages.StreamLeases), root.Lease("linux-1"))
		if err != nil || again.Sequence < last.Sequence+18 || time.Since(again.At) > 4*time.Second {
			t.Errorf("after a minute it was renewed %d times, last %v ago (%v)", again.Sequence-last.Sequence, time.Since(again.At), err)
		}
		time.Sleep(10 * time.Minute)
		if got := r.said("web"); got != "1.2 completed" {
			t.Errorf("said: %s", got)
		}
		idle, _ := r.client.Last(t.Context(), root.Stream(messages.StreamLeases), root.Lease("linux-1"))
		time.Sleep(time.Hour)
		if after, _ := r.client.Last(t.Context(), root.Stream(messages.StreamLeases), root.Lease("linux-1")); after.Sequence != idle.Sequence {
			t.Error("it is renewed with nothing under it")
		}
		if o := r.send(placed(stops("again", "true"), 1), messages.HeaderWait, "9s"); o.Status != messages.StatusCompleted {
			t.Errorf("a later job: %s %v", o.Status, o.Error)
		}
	})
}

// A node that is cut off has stopped what asks for it, and nothing else, before
// the time-to-live is over.
func TestANodeThatIsCutOffStopsWhatAsksForIt(t *testing.T) {
	for name, cut := range map[string]func(t *testing.T, r *guarded){
		"the bus is away":  func(_ *testing.T, r *guarded) { r.bus.setAway(true) },
		"the worker stops": func(_ *testing.T, r *guarded) { r.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			inGuardedRig(t, func(t *testing.T, r *guarded) {
				job := stops("stops", "serve")
				job.Spec.StopGrace = messages.Duration(2 * time.Second)
				r.send(job)
				r.send(placed(task("keeps", "serve"), 1))
				time.Sleep(time.Minute)
				cut(t, r)
				time.Sleep(9 * time.Second) // ttl less margin, since it was renewed before
				if got := r.containers(); !strings.Contains(got, "keeps-rep-0 running") || strings.Contains(got, "stops-rep-0 running") || strings.Contains(got, "stopping") {
					t.Errorf("it holds %q", got)
				}
				if r.w == nil {
					r.journal.Reopen()
					r.start()
				} else {
					r.bus.setAway(false)
				}
				time.Sleep(10 * time.Second)
				o := r.last("stops")
				if o.Status != messages.StatusInterrupted || !strings.Contains(o.Error.Message, "cut off from the bus for longer than its lease") {
					t.Errorf("it ends %s %v", o.Status, o.Error)
				}
				if r.said("keeps") != "" {
					t.Errorf("the other has said: %s", r.said("keeps"))
				}
				if o := r.send(placed(stops("next", "true"), 2), messages.HeaderWait, "9s"); o.Status != messages.StatusCompleted {
					t.Errorf("and the next: %s %v", o.Status, o.Error)
				}
			})
		})
	}
}

// A restart within the lease stops nothing.
func TestALeaseSurvivesARestart(t *testing.T) {
	inGuardedRig(t, func(t *testing.T, r *guarded) {
		r.send(stops("web", "sleep", "60"))
		time.Sleep(time.Second)
		for range 5 {
			r.stop()
			time.Sleep(2 * time.Second)
			r.journal.Reopen()
			r.start()
			time.Sleep(3 * time.Second)
		}
		time.Sleep(time.Minute)
		if got := r.said("web"); got != "1.2 completed" {
			t.Errorf("said: %s", got)
		}
	})
}

func TestASuspendCountsAgainstTheLease(t *testing.T) {
	inGuardedRig(t, func(t *testing.T, r *guarded) {
		r.send(stops("web", "serve"))
		time.Sleep(time.Minute + 50*time.Millisecond) // between two looks at the clock
		synctest.Wait()
		r.clock.sleep(time.Hour)
		time.Sleep(time.Second)
		if got := r.containers(); strings.Contains(got, "web-rep-0 running") {
			t.Errorf("after the suspend: %q", got)
		}
		if o := r.last("web"); o.Status != messages.StatusInterrupted {
			t.Errorf("it ends %s", o.Status)
		}
	})
}

// A placer that has declared the node lost wins: everything ends at once, and
// the lease is taken anew, by jobs that come later.
func TestALeaseThatIsLost(t *testing.T) {
	inGuardedRig(t, func(t *testing.T, r *guarded) {
		r.send(stops("web", "serve"))
		time.Sleep(time.Minute)
		r.lost(t)
		time.Sleep(5 * time.Second)
		if o := r.last("web"); o.Status != messages.StatusInterrupted {
			t.Errorf("it ends %s", o.Status)
		}
		o := r.send(stops("next", "true"))
		if o.Status != messages.StatusRejected || o.Error.Code != messages.CodeUnavailable || !o.Error.Retryable {
			t.Errorf("a command that may be of before is answered %s %v", o.Status, o.Error)
		}
		time.Sleep(15 * time.Second)
		if o := r.send(stops("next", "true"), messages.HeaderWait, "9s"); o.Status != messages.StatusCompleted {
			t.Errorf("later: %s %v", o.Status, o.Error)
		}
	})
}

func TestWithoutALeaseNothingIsAccepted(t *testing.T) {
	inGuardedRig(t, func(t *testing.T, r *guarded) {
		r.bus.setAway(true)
		o := r.send(stops("web", "true"))
		if o.Status != messages.StatusRejected || !o.Error.Retryable || !strings.Contains(o.Error.Message, "no lease") {
			t.Errorf("answered %s %v", o.Status, o.Error)
		}
		if o := r.send(placed(task("keeps", "true"), 1)); o.Status != messages.StatusAccepted {
			t.Errorf("another job: %s", o.Status)
		}
		r.bus.setAway(false)
		if o := r.send(stops("web", "true")); o.Status != messages.StatusAccepted {
			t.Errorf("when it is back: %s %v", o.Status, o.Error)
		}
	})
}

func TestAGraceThatDoesNotFitIsRefused(t *testing.T) {
	inGuardedRig(t, func(t *testing.T, r *guarded) {
		job := stops("web", "true")
		job.Spec.StopGrace = messages.Duration(8 * time.Second)
		o := r.send(job)
		if o.Status != messages.StatusRouteToPeer || o.Route.Code != messages.RefusePolicy {
			t.Fatalf("answered %s %v", o.Status, o.Error)
		}
		for _, want := range []string{"8s", "10s", "6s"} {
			if !strings.Contains(o.Route.Reason, want) {
				t.Errorf("the reason does not say %s: %s", want, o.Route.Reason)
			}
		}
	})
}

// answerless is a bus on which what is appended arrives, and the answer does
// not.
type answerless struct {
	bus.Bus
	mu   sync.Mutex
	lose int
}

func (b *answerless) Append(ctx context.Context, m bus.Message) (uint64, error) {
	seq, err := b.Bus.Append(ctx, m)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil && b.lose > 0 && m.Subject == root.Lease("linux-1") {
		b.lose--
		return 0, bus.ErrUnavailable
	}
	return seq, err
}

// A renewal that is not answered is sent again, and recognised: the worker does
// not take its own for another's.
func TestARenewalWithoutAnAnswerIsNoLoss(t *testing.T) {
	inGuardedRig(t, func(t *testing.T, r *guarded) {
		r.stop()
		conn := r.server.Connect("lossy")
		defer conn.Close(context.Background())
		lossy := &answerless{Bus: conn}
		cfg := r.cfg
		cfg.Bus = lossy
		w, err := worker.Start(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Stop(context.Background())
		synctest.Wait()
		r.send(stops("web", "sleep", "60"))
		for range 5 {
			time.Sleep(5 * time.Second)
			lossy.mu.Lock()
			lossy.lose = 1
			lossy.mu.Unlock()
		}
		time.Sleep(time.Minute)
		if got := r.said("web"); got != "1.2 completed" {
			t.Errorf("said: %s", got)
		}
	})
}

// A command may be long on its way: the node was declared lost meanwhile, the job
// is another's, and the node has the lease anew.
func TestACommandFromBeforeTheLeaseWasLostIsNotAccepted(t *testing.T) {
	inGuardedRig(t, func(t *testing.T, r *guarded) {
		stands := func() string {
			last, err := r.client.Last(t.Context(), root.Stream(messages.StreamLeases), root.Lease("linux-1"))
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(last.Sequence)
		}
		r.send(stops("web", "serve"))
		time.Sleep(time.Minute)
		before := stands()
		r.lost(t)
		time.Sleep(time.Hour)
		for range 2 { // the second is no news to the worker
			o := r.send(stops("late", "true"), messages.HeaderLease, before)
			if o.Status != messages.StatusRejected || o.Error.Code != messages.CodeUnavailable || !o.Error.Retryable {
				t.Errorf("it is answered %s %v", o.Status, o.Error)
			}
			r.restart()
		}
		if o := r.send(stops("late", "true"), messages.HeaderLease, stands()); o.Status != messages.StatusAccepted {
			t.Errorf("one sent now: %s %v", o.Status, o.Error)
		}
		if o := r.send(stops("bad", "true"), messages.HeaderLease, "x"); o.Status != messages.StatusRejected || o.Error.Field != messages.HeaderLease {
			t.Errorf("one that does not say where: %s %v", o.Status, o.Error)
		}
	})
}
