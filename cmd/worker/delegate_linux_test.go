package main_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/managed"
	"github.com/shunt-fleet/shunt/pkg/runtime/remote"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

// patience bounds a test that hangs.
const patience = time.Minute

// containerdLacks is what containerd on Linux cannot do.
var containerdLacks = []string{
	"Changes", "Commit", "CopyIn", "CopyOut", "Export", "ImageHistory", "ImportImage", "LoadImages",
	"SaveImages", "SearchImages",
}

// TestConformanceOfADelegate holds the built `worker delegate`, with a containerd
// of its own, to the suite. At a restart it is killed -9.
func TestConformanceOfADelegate(t *testing.T) {
	d := newDelegate(t)
	registry, err := toybox.Serve("127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { registry.Close() })
	image, err := toybox.Image(testenv.Toybox(t), toybox.Linux(goruntime.GOARCH))
	must(t, err)
	ref, err := registry.Push(t.Context(), "toybox:1", image)
	must(t, err)
	// Opened, and so closed, within the suite, which counts what is left.
	open := sync.OnceValue(func() *remote.Runtime { return d.open(t) })
	runtimetest.Run(t, runtimetest.Config{
		New: func(t *testing.T) runtime.Runtime {
			await(t, open())
			return open()
		},
		Image:        func(*testing.T) string { return ref },
		MissingImage: registry.Addr() + "/nothing:1",
		Lacks:        containerdLacks,
		Whole:        true,
		Programs:     []string{"cat", "env", "flood", "id", "pwd", "stty"},
		OutOfMemory:  &messages.Spec{Entrypoint: []string{"oom"}, Resources: messages.Resources{Memory: 32 << 20}},
		Restart: func(t *testing.T, rt runtime.Runtime) runtime.Runtime {
			before := d.pids()
			for _, pid := range before {
				must(t, syscall.Kill(pid, syscall.SIGKILL))
			}
			until(t, "another delegate is there", func() bool {
				now := d.pids()
				return len(before) == 1 && len(now) == 1 && now[0] != before[0]
			})
			await(t, open())
			return rt
		},
	})
}

// A delegate that cannot have its runtime says why, through the pipe.
func TestADelegateWithoutItsRuntime(t *testing.T) {
	worker := filepath.Join(testenv.Bin(t), "worker")
	for want, args := range map[string][]string{
		"--runtime: \"docker\" is not a runtime": {"--runtime", "docker"},
		"Platforms[0] is \"linux\"":              {"--runtime", "memory", "--platforms", "linux"},
		"containerd at /nowhere/containerd.sock": {"--containerd", "/nowhere/containerd.sock", "--state-dir", t.TempDir()},
	} {
		rt, err := remote.New(remote.Config{Dial: remote.Command(append([]string{worker, "delegate"}, args...), testLog(t)), Logger: testLog(t)})
		must(t, err)
		defer rt.Close()
		until(t, want, func() bool {
			_, err := rt.List(t.Context())
			return err != nil && strings.Contains(err.Error(), "the delegate has no runtime: ") && strings.Contains(err.Error(), want)
		})
	}
}

// delegate is `worker delegate` over a state directory.
type delegate struct {
	state string
	argv  []string
}

func newDelegate(t *testing.T) *delegate {
	t.Helper()
	d := &delegate{state: t.TempDir()}
	tools := testenv.Tools(t)
	d.argv = []string{
		filepath.Join(testenv.Bin(t), "worker"), "delegate", "--state-dir", d.state, "--containerd", "managed", "--tools", tools, "--log-level", "warn",
	}
	t.Cleanup(func() { d.discard(t, tools) })
	return d
}

func (d *delegate) open(t *testing.T) *remote.Runtime {
	t.Helper()
	rt, err := remote.New(remote.Config{Dial: remote.Command(d.argv, testLog(t)), Logger: testLog(t)})
	must(t, err)
	t.Cleanup(func() { must(t, rt.Close()) })
	return rt
}

// pids are the processes of the delegate.
func (d *delegate) pids() (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	want := []byte(strings.Join(d.argv, "\x00") + "\x00")
	for _, file := range files {
		if line, err := os.ReadFile(file); err == nil && bytes.Equal(line, want) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// discard sees that the delegate has left with its near end, and ends the
// containerd that it has left running.
func (d *delegate) discard(t *testing.T, tools string) {
	if left := d.pids(); len(left) > 0 {
		t.Errorf("the delegates %v are still there", left)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := managed.Start(ctx, managed.Config{StateDir: d.state, Tools: tools, Logger: testLog(t)})
	if err != nil {
		t.Errorf("take the managed containerd up to end it: %v", err)
		return
	}
	rt, err := containerd.New(ctx, containerd.Config{
		Address: c.Address(), StateDir: filepath.Join(d.state, "containers"), LoggerPath: d.argv[0], CNIPlugins: []string{filepath.Join(tools, "cni")},
	})
	if err == nil {
		err = rt.Discard(ctx)
		rt.Close()
	}
	if err != nil {
		t.Errorf("take away what the test has left on the machine: %v", err)
	}
	if err := c.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	os.RemoveAll(filepath.Dir(c.Address()))
}

func testLog(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

func await(t *testing.T, rt *remote.Runtime) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	must(t, rt.Await(ctx))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("in vain: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
