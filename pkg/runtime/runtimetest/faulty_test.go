package runtimetest_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

const image = "shunt.test/toybox:1"

var (
	web     = runtime.ContainerID{Service: "web"}
	db      = runtime.ContainerID{Service: "db"}
	errOops = errors.New("oops")
)

func newMemory(t *testing.T) *memory.Runtime {
	t.Helper()
	linux := messages.Platform{OS: messages.Linux, Arch: "amd64"}
	m, err := memory.NewMachine(memory.Config{
		Platforms: []messages.Platform{linux},
		Images:    memory.StaticImages{image: {{Platform: linux, Cmd: []string{"sleep", "3600"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() }) // never fails
	rt := memory.New(m)
	if _, err := rt.Pull(t.Context(), image, runtime.PullOptions{}); err != nil {
		t.Fatal(err)
	}
	return rt
}

func create(ctx context.Context, rt runtime.Runtime, id runtime.ContainerID) error {
	return rt.Create(ctx, id, &messages.Spec{Image: image}, runtime.CreateOptions{})
}

// config holds a Runtime over memory to the suite.
func config(rt runtime.Runtime) runtimetest.Config {
	return runtimetest.Config{
		New:          func(*testing.T) runtime.Runtime { return rt },
		Image:        func(*testing.T) string { return image },
		MissingImage: "shunt.test/nothing:1",
		Lacks: []string{
			"ImageHistory", "SearchImages", "SaveImages", "LoadImages", "ImportImage", "Stats", "StatsStream", "PID",
			"Top", "Changes", "CopyIn", "CopyOut", "Export", "Commit",
		},
		Restart: func(_ *testing.T, rt runtime.Runtime) runtime.Runtime { return runtimetest.Inject(rt) },
	}
}

// TestConformance shows that a Faulty without faults changes nothing.
func TestConformance(t *testing.T) {
	runtimetest.Run(t, config(runtimetest.Inject(newMemory(t))))
}

// TestEveryOperationIsForwarded fails when the port grows and Faulty does not.
func TestEveryOperationIsForwarded(t *testing.T) {
	ctx := t.Context()
	inner := runtimetest.Inject(runtime.Unimplemented{Kind: "empty"})
	outer := runtimetest.Inject(inner)
	for method := range reflect.TypeFor[runtime.Runtime]().Methods() {
		args := []reflect.Value{reflect.ValueOf(ctx)}
		for in := range method.Type.Ins() {
			if in != reflect.TypeFor[context.Context]() {
				args = append(args, reflect.Zero(in))
			}
		}
		results := reflect.ValueOf(outer).MethodByName(method.Name).Call(args)
		if seq := results[0]; seq.Kind() == reflect.Func {
			for _, err := range seq.Seq2() {
				results = []reflect.Value{err}
			}
		}
		err, _ := results[len(results)-1].Interface().(error)
		if !errdefs.IsNotImplemented(err) || inner.Count(method.Name) != 1 || outer.Count(method.Name) != 1 {
			t.Errorf("%s: error %v, seen %d times inside and %d outside, want NotImplemented, 1 and 1",
				method.Name, err, inner.Count(method.Name), outer.Count(method.Name))
		}
	}
	if got := inner.Ops(); !slices.Equal(got, runtimetest.Operations()) {
		t.Errorf("operations hit are %v", got)
	}
}

func TestFaultStrikesTheNthCall(t *testing.T) {
	f := runtimetest.Inject(newMemory(t), runtimetest.Fault{Op: "State", Container: web, Nth: 2, Times: 2, Err: errOops})
	for _, id := range []runtime.ContainerID{web, db} {
		if err := create(t.Context(), f, id); err != nil {
			t.Fatal(err)
		}
	}
	var struck []bool
	for range 4 {
		_, err := f.State(t.Context(), web)
		struck = append(struck, errors.Is(err, errOops))
		if _, err := f.State(t.Context(), db); err != nil {
			t.Errorf("the other container's state: %v", err)
		}
	}
	if want := []bool{false, true, true, false}; !slices.Equal(struck, want) {
		t.Errorf("struck %v, want %v", struck, want)
	}
	f.Inject(runtimetest.Fault{Times: -1, Err: errOops})
	if _, err := f.List(t.Context()); !errors.Is(err, errOops) {
		t.Errorf("list under a fault of every call: %v", err)
	}
	f.Heal()
	if _, err := f.List(t.Context()); err != nil {
		t.Errorf("list when healed: %v", err)
	}
}

func TestFaultBeforeAndAfterTheEffect(t *testing.T) {
	f := runtimetest.Inject(newMemory(t),
		runtimetest.Fault{Op: "Create", Container: web, Err: errOops},
		runtimetest.Fault{Op: "Create", Container: db, When: runtimetest.After, Err: errOops})
	for _, id := range []runtime.ContainerID{web, db} {
		if err := create(t.Context(), f, id); !errors.Is(err, errOops) {
			t.Errorf("create of %s: %v, want the fault's error", id, err)
		}
	}
	if _, err := f.State(t.Context(), web); !errdefs.IsNotFound(err) {
		t.Errorf("struck before its effect, the create made something: %v", err)
	}
	if _, err := f.State(t.Context(), db); err != nil {
		t.Errorf("struck after its effect, the create made nothing: %v", err)
	}
}

func TestFaultHoldsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		rt := newMemory(t)
		f := runtimetest.Inject(rt, runtimetest.Fault{Op: "Create", Times: -1, Hold: release})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := create(ctx, f, db); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a held call whose context ends: %v", err)
		}
		done := make(chan error, 1)
		go func() { done <- create(t.Context(), f, web) }()
		synctest.Wait()
		if calls := f.Calls("Create"); len(calls) != 2 || !calls[0].Done || calls[1].Done || !calls[1].Struck {
			t.Errorf("calls are %+v, want the second under way", calls)
		}
		if _, err := rt.State(t.Context(), web); !errdefs.IsNotFound(err) {
			t.Errorf("a held call has had its effect: %v", err)
		}
		close(release)
		if err := <-done; err != nil {
			t.Errorf("a call that was released: %v", err)
		}
	})
}

func TestFaultCancels(t *testing.T) {
	f := runtimetest.Inject(newMemory(t),
		runtimetest.Fault{Op: "Create", Container: web, Cancel: true},
		runtimetest.Fault{Op: "Create", Container: db, When: runtimetest.After, Cancel: true})
	for id, there := range map[runtime.ContainerID]bool{web: false, db: true} {
		if err := create(t.Context(), f, id); !errors.Is(err, context.Canceled) {
			t.Errorf("create of %s: %v, want context.Canceled", id, err)
		}
		if _, err := f.State(t.Context(), id); (err == nil) != there {
			t.Errorf("state of %s: %v, want it there: %v", id, err, there)
		}
	}
}

func TestFaultCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newMemory(t)
		var struck runtimetest.Call
		f := runtimetest.Inject(rt, runtimetest.Fault{
			Op: "Start", When: runtimetest.After, Crash: true, Do: func(c runtimetest.Call) { struck = c },
		})
		if err := create(t.Context(), f, web); err != nil {
			t.Fatal(err)
		}
		waiter := make(chan error, 1)
		go func() {
			_, err := f.WaitOutcome(t.Context(), web, messages.WaitRemoved)
			waiter <- err
		}()
		synctest.Wait()
		if err := f.Start(t.Context(), web); !errors.Is(err, runtimetest.ErrCrashed) || struck.Op != "Start" || struck.ID != web {
			t.Errorf("start: %v after %+v", err, struck)
		}
		<-f.Crashed()
		if err := <-waiter; !errors.Is(err, runtimetest.ErrCrashed) {
			t.Errorf("a call under way when it crashed: %v", err)
		}
		if _, err := f.List(t.Context()); !errors.Is(err, runtimetest.ErrCrashed) || !errdefs.IsUnavailable(err) {
			t.Errorf("a call after the crash: %v", err)
		}
		if state, err := rt.State(t.Context(), web); err != nil || state.Phase != runtime.PhaseRunning {
			t.Errorf("behind the crash the container is %+v, %v; want it running", state, err)
		}
	})
}

func TestFaultStrikesSequences(t *testing.T) {
	rt := newMemory(t)
	if err := create(t.Context(), rt, web); err != nil {
		t.Fatal(err)
	}
	f := runtimetest.Inject(rt,
		runtimetest.Fault{Op: "Logs", Err: errOops},
		runtimetest.Fault{Op: "Logs", Nth: 2, When: runtimetest.After, Err: errOops})
	for range 2 {
		var last error
		for _, err := range f.Logs(t.Context(), web, runtime.LogOptions{}) {
			last = err
		}
		if !errors.Is(last, errOops) {
			t.Errorf("logs ended with %v, want the fault's error", last)
		}
	}
	calls := f.Calls()
	if len(calls) != 2 || calls[1].Nth != 2 || !reflect.DeepEqual(calls[1].Args, []any{runtime.LogOptions{}}) || !errors.Is(calls[1].Err, errOops) {
		t.Errorf("recorded %+v", calls)
	}
}

func TestFaultOfAnUnknownOperationPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Errorf("no panic")
		}
	}()
	runtimetest.Inject(newMemory(t), runtimetest.Fault{Op: "Frobnicate"})
}
