package guard_test

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/guard"
	"github.com/shunt-fleet/shunt/internal/worker/lease"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

// clock is virtual time.
type clock struct{ begun time.Time }

func (c clock) Now() time.Duration { return time.Hour + time.Since(c.begun) }

var (
	web   = lease.Container{Name: "web-rep-0", Job: "web", Attempt: 3}
	webID = runtime.ContainerID{Service: "web"}
)

// launch makes the container of the attempt and starts it.
func launch(t *testing.T, rt *memory.Runtime) {
	t.Helper()
	opts := runtime.CreateOptions{Owner: runtime.Owner{Job: web.Job, Attempt: web.Attempt}}
	if err := rt.Create(t.Context(), webID, &messages.Spec{Image: "team/server:1"}, opts); err != nil {
		t.Fatal(err)
	}
	if err := rt.Start(t.Context(), webID); err != nil {
		t.Fatal(err)
	}
}

func inGuard(t *testing.T, test func(t *testing.T, g *guard.Memory, c clock, rt *memory.Runtime)) {
	synctest.Test(t, func(t *testing.T) {
		linux := messages.Platform{OS: messages.Linux, Arch: "amd64"}
		machine, err := memory.NewMachine(memory.Config{
			Platforms: []messages.Platform{linux},
			Images:    memory.StaticImages{"team/server:1": {{Platform: linux, Cmd: []string{"serve"}}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer machine.Close()
		rt, c := memory.New(machine), clock{time.Now()}
		if _, err := rt.Pull(t.Context(), "team/server:1", runtime.PullOptions{}); err != nil {
			t.Fatal(err)
		}
		g := guard.NewMemory(rt, c, slog.New(slog.NewTextHandler(t.Output(), nil)))
		defer g.Close()
		test(t, g, c, rt)
	})
}

func held(c clock) lease.Holder {
	return lease.Holder{Terms: lease.For(10 * time.Second), Held: true, Seq: 1, Sent: c.Now()}
}

func stopped(t *testing.T, rt *memory.Runtime) bool {
	t.Helper()
	d, err := rt.Inspect(t.Context(), webID)
	if err != nil {
		t.Fatal(err)
	}
	return d.State.Phase.Ended()
}

// A worker that was frozen may start a container when its time is over.
func TestAContainerThatIsStartedTooLateIsStopped(t *testing.T) {
	inGuard(t, func(t *testing.T, g *guard.Memory, c clock, rt *memory.Runtime) {
		if err := g.Watch(lease.Record{Holder: held(c), Containers: []lease.Container{web}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		launch(t, rt)
		time.Sleep(3 * time.Second)
		if !stopped(t, rt) || !g.Stopped(web.Job, web.Attempt) {
			t.Error("it runs")
		}
	})
}

// An attempt that could not be accepted is sent again, under the same number.
func TestAnAttemptThatComesUnderTheLeaseAgainIsGuarded(t *testing.T) {
	inGuard(t, func(t *testing.T, g *guard.Memory, c clock, rt *memory.Runtime) {
		for _, rec := range []lease.Record{
			{Containers: []lease.Container{web}}, // the lease is not held just now
			{},
			{Holder: held(c), Containers: []lease.Container{web}},
		} {
			if rec.Held {
				rec.Holder = held(c)
			}
			if err := g.Watch(rec); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		launch(t, rt)
		time.Sleep(2 * time.Second)
		if stopped(t, rt) {
			t.Fatal("it was stopped with time left")
		}
		time.Sleep(9 * time.Second)
		if !stopped(t, rt) {
			t.Error("it runs although its time is over")
		}
	})
}
