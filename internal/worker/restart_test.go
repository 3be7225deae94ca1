package worker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

func TestARestartedWorkerTakesUpWhatRuns(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(placed(task("web", "sleep", "60"), 1))
		time.Sleep(10 * time.Second)
		r.restart()
		if got := r.containers(); got != "web-rep-0 running" {
			t.Fatalf("after the restart: %q", got)
		}
		if o := r.send(placed(task("web", "sleep", "60"), 1)); o.Status != messages.StatusAccepted {
			t.Errorf("the command again: %s", o.Status)
		}
		time.Sleep(time.Minute)
		if got := r.said("web"); got != "1.2 completed" {
			t.Errorf("said: %s", got)
		}
		if r.faulty.creates != 0 {
			t.Errorf("the second worker made %d containers", r.faulty.creates)
		}
	})
}

func TestAnEndWhileTheWorkerWasAwayIsReportedOnce(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(placed(task("web", "sh", "-c", "sleep 5; exit 7"), 1))
		synctest.Wait()
		r.stop()
		time.Sleep(time.Minute)
		r.journal.Reopen()
		r.start()
		done := r.last("web")
		if r.said("web") != "1.2 failed" || *done.Result.ExitCode != 7 {
			t.Errorf("said: %s, %+v", r.said("web"), done.Result)
		}
		r.restart()
		if got := r.said("web"); got != "1.2 failed" {
			t.Errorf("after another restart it has said: %s", got)
		}
		if got := r.containers(); got != "" {
			t.Errorf("left behind: %s", got)
		}
	})
}

// What the journal of a killed worker says, and what becomes of it.
func TestAWorkerThatWasKilled(t *testing.T) {
	idempotent := placed(task("web", "true"), 1)
	idempotent.Policy.Idempotent = true
	exec := messages.Job{V: 1, ID: "web", Op: messages.OpExec, Container: "db-rep-0", Attempt: 1, Args: messages.Args{Cmd: []string{"true"}}}
	for name, c := range map[string]struct {
		job     messages.Job
		phase   journal.Phase
		created bool // its container is there, and was not started
		want    string
	}{
		"accepted, nothing begun":            {placed(task("web", "true"), 1), journal.PhaseAccepted, false, "1.2 completed"},
		"accepted, the container made":       {placed(task("web", "true"), 1), journal.PhaseAccepted, true, "1.2 completed"},
		"starting, no container":             {placed(task("web", "true"), 1), journal.PhaseStarting, false, "1.2 interrupted"},
		"starting, not started":              {placed(task("web", "true"), 1), journal.PhaseStarting, true, "1.2 interrupted"},
		"starting, no container, idempotent": {idempotent, journal.PhaseStarting, false, "1.2 completed"},
		"starting, not started, idempotent":  {idempotent, journal.PhaseStarting, true, "1.2 completed"},
		"an exec that may have been":         {exec, journal.PhaseStarting, false, "1.2 interrupted"},
		"an exec that surely was not":        {exec, journal.PhaseAccepted, false, "1.2 failed"}, // its container is not there
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.written(c.job, c.phase)
				if c.created {
					r.create(&c.job)
				}
				r.start()
				time.Sleep(time.Minute)
				if got := r.said("web"); got != c.want {
					t.Errorf("said: %s, want %s", got, c.want)
				}
				if got := r.containers(); got != "" {
					t.Errorf("left behind: %s", got)
				}
			})
		})
	}
}

// create makes a job's container behind the worker's back.
func (r *rig) create(job *messages.Job) runtime.ContainerID {
	r.t.Helper()
	rt, id := memory.New(r.machine), runtime.ContainerID{Service: job.ID}
	if _, err := rt.Pull(r.t.Context(), job.Spec.Image, runtime.PullOptions{}); err != nil {
		r.t.Fatal(err)
	}
	if err := rt.Create(r.t.Context(), id, job.Spec, runtime.CreateOptions{Owner: runtime.Owner{Job: job.ID, Attempt: job.Attempt}}); err != nil {
		r.t.Fatal(err)
	}
	return id
}

// A runtime that is away when the worker comes back says nothing of what runs:
// the worker waits for it, however long.
func TestARuntimeThatIsAwayAtARestartFailsNoJob(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(placed(task("web", "sleep", "600"), 1))
		synctest.Wait()
		r.away = true
		r.restart()
		time.Sleep(5 * time.Minute)
		if got := r.said("web"); got != "" {
			t.Fatalf("while the runtime is away it has said: %s", got)
		}
		r.faulty.setAway(false)
		time.Sleep(10 * time.Minute)
		if got := r.said("web"); got != "1.2 completed" {
			t.Errorf("said: %s", got)
		}
	})
}

func TestAContainerTheJournalDoesNotKnowIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		job := placed(task("stray", "sleep", "7200"), 4)
		id := r.create(&job)
		if err := memory.New(r.machine).Start(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		r.start()
		time.Sleep(time.Hour)
		if got := r.containers(); got != "stray-rep-0 running" {
			t.Errorf("it is %q", got)
		}
		// A placer that knows better may revoke it all the same.
		if o := r.send(revoke("stray", 4)); o.Status != messages.StatusRevoked || !*o.Result.Stopped {
			t.Errorf("a revoke: %s %+v", o.Status, o.Result)
		}
		if got := r.containers(); got != "" {
			t.Errorf("after the revoke: %q", got)
		}
	})
}

func TestOutcomesSurviveABusThatIsAway(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.bus.setAway(true)
		r.send(task("a", "true"))
		r.send(task("b", "sleep", "30"))
		time.Sleep(time.Minute)
		if got := r.said("a") + r.said("b"); got != "" {
			t.Fatalf("while the bus is away it has said: %s", got)
		}
		r.restart() // the new connection is up, and what the first one kept is said
		time.Sleep(10 * time.Second)
		if a, b := r.said("a"), r.said("b"); a != "1.1 accepted, 1.2 completed" || b != "1.1 accepted, 1.2 completed" {
			t.Errorf("said: %s; %s", a, b)
		}
		r.bus.setAway(true)
		r.send(task("c", "true"))
		time.Sleep(time.Hour)
		r.bus.setAway(false)
		time.Sleep(10 * time.Second)
		if got := r.said("c"); got != "1.1 accepted, 1.2 completed" {
			t.Errorf("said: %s", got)
		}
	})
}

func TestGoodbyeIsSaidWhenNothingIsOwed(t *testing.T) {
	for name, c := range map[string]struct {
		job  messages.Job
		away bool
		want bool
	}{
		"nothing owed":       {task("web", "true"), false, true},
		"a job runs":         {task("web", "sleep", "3600"), false, false},
		"an outcome is kept": {task("web", "true"), true, false},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(t *testing.T, r *rig) {
				r.bus.setAway(c.away)
				r.send(c.job)
				time.Sleep(time.Second)
				r.stop()
				if left := r.lastBeat().TTL == 0; left != c.want {
					t.Errorf("a goodbye was said: %v", left)
				}
			})
		})
	}
}

func TestHeartbeats(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		first := r.lastBeat()
		if first.Incarnation != messages.Incarnation(r.journal.ID(), 1) || len(first.Platforms) != 1 || first.Platforms[0].Platform != linux || first.TTL.Std() != 10*time.Second {
			t.Errorf("the first is %+v", first)
		}
		time.Sleep(30 * time.Second)
		if n := r.lastBeat().Seq - first.Seq; n != 10 {
			t.Errorf("%d heartbeats in 30 s", n)
		}
		r.restart()
		if again := r.lastBeat(); again.Incarnation != messages.Incarnation(r.journal.ID(), 2) || again.Seq != 1 {
			t.Errorf("after a restart: %s, %d", again.Incarnation, again.Seq)
		}
	})
}

// refusingBus serves nothing.
type refusingBus struct{ bus.Bus }

var errRefused = errors.New("no subscription is allowed")

func (refusingBus) Serve(bus.Service) (bus.Subscription, error) { return nil, errRefused }

// A start that fails comes back at once, whatever the journal holds, and says
// no goodbye under a name that may be another worker's.
func TestAStartThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		if err := r.journal.Write(journal.Attempt{Job: task("web", "true"), Phase: journal.PhaseEnded}, messages.Outcome{V: 1, Job: "web", Node: "linux-1", Attempt: 1, Seq: 1, Status: messages.StatusCompleted}); err != nil {
			t.Fatal(err)
		}
		composite, err := runtime.NewComposite(runtime.CompositeConfig{Primary: runtime.Member{Runtime: memory.New(r.machine)}})
		if err != nil {
			t.Fatal(err)
		}
		conn := r.server.Connect("worker")
		defer conn.Close(context.Background())
		r.cfg.Bus, r.cfg.Runtime = refusingBus{conn}, composite
		begun := time.Now()
		w, err := worker.Start(t.Context(), r.cfg)
		if !errors.Is(err, errRefused) || w != nil {
			t.Errorf("started: %v, %v", w, err)
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("it took %v to fail", took)
		}
		synctest.Wait()
		if len(r.beats) > 0 {
			t.Errorf("it has sent %+v", r.beats)
		}
	})
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		composite, _ := runtime.NewComposite(runtime.CompositeConfig{Primary: runtime.Member{Runtime: memory.New(r.machine)}})
		r.cfg.Bus, r.cfg.Runtime = r.client, composite
		for want, change := range map[string]func(*worker.Config){
			"node":                      func(c *worker.Config) { c.Node = "a b" },
			"a bus, a runtime":          func(c *worker.Config) { c.Bus = nil },
			"subject-root":              func(c *worker.Config) { c.Root = "a.b" },
			"ttl: 5s is not allowed":    func(c *worker.Config) { c.TTL = 5 * time.Second },
			"heartbeat: -1s is not all": func(c *worker.Config) { c.Heartbeat = -time.Second },
		} {
			cfg := r.cfg
			change(&cfg)
			if w, err := worker.Start(t.Context(), cfg); w != nil || err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want an error with %q", err, want)
			}
		}
	})
}
