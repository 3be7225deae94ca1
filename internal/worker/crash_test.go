package worker_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/internal/worker/journal/memjournal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

// mortal is a worker that dies at the n-th step it takes: the steps are its
// writes to the journal and its calls of the runtime, before and after each.
type mortal struct {
	*memjournal.Journal
	handle *memory.Runtime

	mu    sync.Mutex
	left  int
	where string // it died
	dead  chan struct{}
}

// step takes a step, and dies if it is the one. What it does then has no effect.
func (m *mortal) step(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left--; m.left == 0 {
		m.where = what
		m.Journal.Crash()
		_ = m.handle.Close()
		close(m.dead)
	}
}

func (m *mortal) Write(a journal.Attempt, publish ...messages.Outcome) error {
	m.step("before a write")
	err := m.Journal.Write(a, publish...)
	m.step("after a write")
	return err
}

// TestAWorkerThatDiesAtAnyStep gives a worker a job and kills it at each of its
// steps in turn. Whatever the step, what was accepted ends in one outcome, and a
// task that must not be repeated is started once at most.
func TestAWorkerThatDiesAtAnyStep(t *testing.T) {
	for _, idempotent := range []bool{false, true} {
		for n := 1; ; n++ {
			reached := false
			t.Run(fmt.Sprintf("idempotent %v/step %d", idempotent, n), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { reached = dieAt(t, n, idempotent) })
			})
			if !reached {
				if n < 12 {
					t.Errorf("a run has %d steps only", n-1)
				}
				break
			}
			if t.Failed() {
				return
			}
		}
	}
}

// dieAt is one death; it is false when the job has fewer steps.
func dieAt(t *testing.T, n int, idempotent bool) (reached bool) {
	r := newRig(t)
	starts := 0
	m := &mortal{Journal: r.journal, handle: memory.New(r.machine), left: n, dead: make(chan struct{})}
	rt := runtimetest.Inject(m.handle,
		runtimetest.Fault{Times: -1, When: runtimetest.Before, Do: func(c runtimetest.Call) { m.step("before " + c.Op) }},
		runtimetest.Fault{Times: -1, When: runtimetest.After, Do: func(c runtimetest.Call) {
			if c.Op == "Start" {
				m.mu.Lock()
				starts++
				m.mu.Unlock()
			}
			m.step("after " + c.Op)
		}})
	composite, err := runtime.NewComposite(runtime.CompositeConfig{Primary: runtime.Member{Runtime: rt}, Resolver: images})
	if err != nil {
		t.Fatal(err)
	}
	cfg := r.cfg
	conn := r.server.Connect("mortal")
	cfg.Bus, cfg.Runtime, cfg.Journal = conn, composite, m
	job := placed(task("web", "sleep", "5"), 1)
	job.Policy.Idempotent = idempotent
	w, err := worker.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	accepted := false
	select {
	case <-m.dead: // as it looked around at its start
	default:
		accepted = r.send(job).Status == messages.StatusAccepted
	}
	time.Sleep(time.Minute)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	w.Stop(over)
	_ = conn.Close(over)
	synctest.Wait()
	m.mu.Lock()
	where, ran := m.where, starts
	m.mu.Unlock()

	r.journal.Reopen()
	before := r.said("web")
	r.start()
	time.Sleep(time.Minute)
	if _, err := r.journal.Attempt("web", 1); err == nil {
		accepted = true // it is owed, heard or not
	}
	ends := 0
	r.mu.Lock()
	seen := map[string]bool{}
	for _, o := range r.outcomes {
		if o.Job == "web" && o.Status.Ends() && !seen[o.MsgID()] {
			seen[o.MsgID()] = true
			ends++
		}
	}
	r.mu.Unlock()
	if accepted && ends != 1 || !accepted && ends > 0 {
		t.Errorf("it died %s; accepted: %v; said before: %q, in the end: %q", where, accepted, before, r.said("web"))
	}
	if !idempotent && ran > 1 {
		t.Errorf("it died %s, and was started %d times", where, ran)
	}
	if got := r.containers(); got != "" {
		t.Errorf("it died %s; left behind: %s", where, got)
	}
	r.stop()
	return where != ""
}
