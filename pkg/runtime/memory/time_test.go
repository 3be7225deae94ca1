package memory_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

var web = runtime.ContainerID{Service: "web"}

// start runs a program on a machine of its own. In a bubble the machine's
// close at the end of the test is also the leak check: a goroutine that stays
// behind is a deadlock there.
func start(t *testing.T, rt *memory.Runtime, id runtime.ContainerID, spec *messages.Spec) {
	t.Helper()
	if spec.Image == "" {
		spec.Image = toybox
	}
	if _, err := rt.Pull(t.Context(), spec.Image, runtime.PullOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := rt.Create(t.Context(), id, spec, runtime.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := rt.Start(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

func run(argv ...string) *messages.Spec { return &messages.Spec{Entrypoint: argv} }

func TestSleepTakesItsTime(t *testing.T) {
	for script, want := range map[string]time.Duration{
		"sleep 90":                        90 * time.Second,
		"sleep 0.25":                      250 * time.Millisecond,
		"sleep 0":                         0,
		"sleep 1; sleep 2; false; exit 0": 3 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			rt := memory.New(newMachine(t, linux))
			begun := time.Now()
			start(t, rt, web, run("sh", "-c", script))
			code, err := rt.Wait(t.Context(), web)
			if took := time.Since(begun); code != 0 || err != nil || took != want {
				t.Errorf("%q took %v and gave %d, %v; want %v and 0", script, took, code, err, want)
			}
		})
	}
}

func TestPauseStopsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := memory.New(newMachine(t, linux))
		begun := time.Now()
		start(t, rt, web, run("sleep", "10"))
		time.Sleep(4 * time.Second)
		must(t, rt.Pause(t.Context(), web))
		time.Sleep(time.Hour)
		must(t, rt.Unpause(t.Context(), web))
		code, err := rt.Wait(t.Context(), web)
		if took := time.Since(begun); code != 0 || err != nil || took != time.Hour+10*time.Second {
			t.Errorf("a sleep of 10s with an hour's pause took %v and gave %d, %v", took, code, err)
		}
	})
}

func TestAPausedProgramHearsTermLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := memory.New(newMachine(t, linux))
		start(t, rt, web, run("sleep", "3600"))
		must(t, rt.Pause(t.Context(), web))
		must(t, rt.Kill(t.Context(), web, "TERM"))
		synctest.Wait()
		if state, err := rt.State(t.Context(), web); err != nil || state.Phase != runtime.PhaseRunning {
			t.Errorf("a paused container that was sent TERM is %+v, %v; want it running", state, err)
		}
		must(t, rt.Unpause(t.Context(), web))
		if code, err := rt.Wait(t.Context(), web); code != 143 || err != nil {
			t.Errorf("then it ended with %d, %v; want 143", code, err)
		}
	})
}

func TestStopAndContSignals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := memory.New(newMachine(t, linux))
		begun := time.Now()
		start(t, rt, web, run("sleep", "10"))
		must(t, rt.Kill(t.Context(), web, "STOP"))
		time.Sleep(time.Minute)
		must(t, rt.Kill(t.Context(), web, "CONT"))
		if code, err := rt.Wait(t.Context(), web); code != 0 || err != nil || time.Since(begun) != 70*time.Second {
			t.Errorf("it ended with %d, %v after %v; want 0 after 70s", code, err, time.Since(begun))
		}
	})
}

func TestStopWaitsForTheGrace(t *testing.T) {
	for _, c := range []struct {
		name    string
		grace   time.Duration
		timeout time.Duration
		want    time.Duration
	}{
		{"the caller's", time.Hour, 3 * time.Second, 3 * time.Second},
		{"the spec's", 7 * time.Second, -1, 7 * time.Second},
		{"the default", 0, -1, 10 * time.Second},
		{"none", time.Hour, 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			rt := memory.New(newMachine(t, linux))
			start(t, rt, web, &messages.Spec{StopSignal: "WINCH", StopGrace: messages.Duration(c.grace)})
			begun := time.Now()
			must(t, rt.Stop(t.Context(), web, c.timeout))
			outcome, err := rt.WaitOutcome(t.Context(), web, messages.WaitNotRunning)
			if took := time.Since(begun); took != c.want || outcome.Signal != 9 || err != nil {
				t.Errorf("grace %s: took %v and ended by %d, %v; want %v and KILL", c.name, took, outcome.Signal, err, c.want)
			}
		})
	}
}

func TestAStopThatIsGivenUpLeavesItRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := memory.New(newMachine(t, linux))
		start(t, rt, web, &messages.Spec{StopSignal: "WINCH"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		stopped := make(chan error, 1)
		go func() { stopped <- rt.Stop(ctx, web, time.Hour) }()
		synctest.Wait()
		if state, _ := rt.State(t.Context(), web); state.Phase != runtime.PhaseStopping {
			t.Errorf("during a stop it is %s", state.Phase)
		}
		if err := <-stopped; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("stop: %v", err)
		}
		if state, _ := rt.State(t.Context(), web); state.Phase != runtime.PhaseRunning {
			t.Errorf("after a stop that was given up it is %s, want running", state.Phase)
		}
	})
}

func TestCloseOfARuntimeLeavesTheContainers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, linux)
		old := memory.New(m)
		start(t, old, web, run("sh", "-c", "sleep 60; echo done; exit 9"))
		waiter := make(chan error, 1)
		go func() {
			_, err := old.Wait(t.Context(), web)
			waiter <- err
		}()
		synctest.Wait()
		must(t, old.Close())
		must(t, old.Close())
		if err := <-waiter; !errdefs.IsUnavailable(err) {
			t.Errorf("a wait under way when its runtime closed: %v, want Unavailable", err)
		}
		if _, err := old.List(t.Context()); !errdefs.IsUnavailable(err) {
			t.Errorf("a call of a closed runtime: %v, want Unavailable", err)
		}
		time.Sleep(time.Hour)
		next := memory.New(m)
		outcome, err := next.WaitOutcome(t.Context(), web, messages.WaitNotRunning)
		if err != nil || outcome.ExitCode != 9 || time.Since(outcome.FinishedAt) != 59*time.Minute {
			t.Errorf("the next runtime tells %+v, %v; want 9, 59 minutes ago", outcome, err)
		}
	})
}

func TestCrashAndCloseOfAMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, linux)
		rt := memory.New(m)
		start(t, rt, web, run("sh", "-c", "echo up; sleep 3600"))
		must(t, rt.Pause(t.Context(), web)) // even what stands still is lost
		m.Crash()
		state, err := rt.State(t.Context(), web)
		if err != nil || state.Phase != runtime.PhaseFailed || state.Reason == "" {
			t.Errorf("after a crash it is %+v, %v; want failed, with a reason", state, err)
		}
		outcome, err := rt.WaitOutcome(t.Context(), web, messages.WaitNotRunning)
		if err != nil || outcome.Reason != messages.ExitRuntimeError || outcome.ExitCode != 255 || outcome.Signal != 0 {
			t.Errorf("the outcome is %+v, %v; want runtime_error and 255", outcome, err)
		}
		must(t, rt.Start(t.Context(), web))
		waiter := make(chan error, 2)
		for _, until := range []messages.WaitCondition{messages.WaitNotRunning, messages.WaitRemoved} {
			go func() {
				_, err := rt.WaitOutcome(t.Context(), web, until)
				waiter <- err
			}()
		}
		synctest.Wait()
		must(t, m.Close())
		for range 2 {
			if err := <-waiter; err != nil && !errdefs.IsUnavailable(err) {
				t.Errorf("a wait under way when the machine went down: %v", err)
			}
		}
		if err := rt.Start(t.Context(), web); !errdefs.IsUnavailable(err) {
			t.Errorf("start on a machine that is down: %v, want Unavailable", err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
