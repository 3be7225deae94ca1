package containerd_test

import (
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/managed"
)

func TestExitWhileWorkerIsAway(t *testing.T) {
	b := newBench(t)
	id := b.start(b.spec("sh", "-c", "echo before; sleep 0.2; echo after; exit 7"))
	b.reopen()
	if out := b.wait(id); out.ExitCode != 7 || out.Reason != messages.ExitExited || out.FinishedAt.IsZero() {
		t.Errorf("outcome is %+v, want 7, exited, with its time", out)
	}
	if got := b.output(id, runtime.Stdout); got != "before\nafter\n" {
		t.Errorf("output is %q", got)
	}
	d, err := b.rt.Inspect(b.ctx, id)
	b.must(err)
	if d.Owner.Job != "job-"+id.Service || d.Owner.Attempt != 3 || d.ExitReason != messages.ExitExited || d.Spec.Image != b.image {
		t.Errorf("inspect gives %+v", d)
	}
}

// More than the pipe and the logger's buffers hold, while nobody reads.
func TestFloodWhileWorkerIsAway(t *testing.T) {
	b := newBench(t)
	id := b.start(b.spec("flood", "50000"))
	b.rt.Close()
	b.rt = b.open()
	if out := b.wait(id); out.ExitCode != 0 {
		t.Fatalf("outcome is %+v", out)
	}
	var want strings.Builder
	for i := 1; i <= 50000; i++ {
		fmt.Fprintf(&want, "line %d\n", i)
	}
	if got := b.output(id, runtime.Stdout); got != want.String() {
		t.Errorf("output has %d bytes, want %d, each as it was written", len(got), want.Len())
	}
}

func TestOutOfMemoryWhileWorkerIsAway(t *testing.T) {
	b := newBench(t)
	spec := b.spec("oom")
	spec.Resources.Memory = 32 << 20
	id := b.start(spec)
	b.reopen()
	if out := b.wait(id); out.Reason != messages.ExitOOMKilled || out.ExitCode != 137 || out.Signal != 9 {
		t.Errorf("outcome is %+v, want oom_killed, 137, signal 9", out)
	}
	b.reopen()
	if d, err := b.rt.Inspect(b.ctx, id); err != nil || d.ExitReason != messages.ExitOOMKilled {
		t.Errorf("inspect: reason %q, %v", d.ExitReason, err)
	}
}

// The reason of an exit is lost with the shim, and that is said.
func TestShimKilledWhileWorkerIsAway(t *testing.T) {
	b := newBench(t)
	id := b.start(b.spec("sleep", "3600"))
	pid, err := b.rt.PID(b.ctx, id)
	b.must(err)
	b.must(syscall.Kill(parentOf(t, pid), syscall.SIGKILL))
	if out := b.wait(id); out.Reason != messages.ExitRuntimeError || out.ExitCode != containerd.UnknownExit {
		t.Errorf("outcome is %+v, want runtime_error", out)
	}
	b.reopen()
	if s, err := b.rt.State(b.ctx, id); err != nil || s.Phase != runtime.PhaseFailed || s.Reason == "" {
		t.Errorf("state is %+v, %v, want failed with the reason", s, err)
	}
	b.must(b.rt.Remove(b.ctx, id, runtime.RemoveOptions{Force: true}))
}

func TestContainerdKilledWhileAContainerRuns(t *testing.T) {
	tools := testenv.Tools(t)
	// Sockets must not be below the state directory: this is too long a path.
	dir := filepath.Join(t.TempDir(), strings.Repeat("a-long-name/", 17))
	cfg := managed.Config{StateDir: dir, Tools: tools, Logger: testLog(t)}
	c, err := managed.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutDown(t, c) })
	b := benchOn(t, c.Address(), dir)
	id := b.start(b.spec("sh", "-c", "echo up; sleep 1; echo still; exit 5"))
	b.printed(id, "up")
	old := c.PID()
	b.must(syscall.Kill(old, syscall.SIGKILL))
	if out := b.wait(id); out.ExitCode != 5 {
		t.Errorf("outcome is %+v, want 5", out)
	}
	if got := b.output(id, runtime.Stdout); got != "up\nstill\n" {
		t.Errorf("output is %q", got)
	}
	until(t, "containerd runs again", func() bool { return c.PID() != old && c.Health() == nil })
}

// TestFileSystemOverWhatAKillHasLeft leaves what containerd leaves that is killed
// between a snapshot's directory and its record. Pulls and creates go over it.
func TestFileSystemOverWhatAKillHasLeft(t *testing.T) {
	cfg := managed.Config{StateDir: t.TempDir(), Tools: testenv.Tools(t), Logger: testLog(t)}
	c, err := managed.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutDown(t, c) })
	b := benchOn(t, c.Address(), cfg.StateDir)
	left := func() {
		t.Helper()
		made, err := filepath.Glob(filepath.Join(cfg.StateDir, "containerd", "root", "io.containerd.snapshotter.v1.overlayfs", "snapshots", "*"))
		if err != nil || len(made) == 0 {
			t.Fatalf("snapshots: %v, %v", made, err)
		}
		last := 0
		for _, dir := range made {
			n, _ := strconv.Atoi(filepath.Base(dir))
			last = max(last, n)
		}
		b.must(os.MkdirAll(filepath.Join(filepath.Dir(made[0]), strconv.Itoa(last+1), "fs"), 0o755))
	}
	left()
	id := b.start(b.spec("true"))
	if out := b.wait(id); out.ExitCode != 0 {
		t.Errorf("a container made over what was left: %+v", out)
	}
	layer, err := random.Layer(1024, types.OCILayer)
	b.must(err)
	img, err := toybox.Image(testenv.Toybox(t), toybox.Linux(goruntime.GOARCH))
	b.must(err)
	img, err = mutate.AppendLayers(img, layer)
	b.must(err)
	other, err := b.reg.Push(b.ctx, "other:1", img)
	b.must(err)
	left()
	for _, want := range []bool{false, true} {
		_, err := b.rt.Pull(b.ctx, other, runtime.PullOptions{})
		if err == nil != want || err != nil && !runtime.Retryable(err) {
			t.Errorf("a pull over what was left: %v, want one failure that may be tried again, and then a success", err)
		}
	}
}

func TestManagedIsTakenUp(t *testing.T) {
	tools := testenv.Tools(t)
	cfg := managed.Config{StateDir: t.TempDir(), Tools: tools, Logger: testLog(t)}
	first, err := managed.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutDown(t, first) })
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := managed.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if first.PID() != second.PID() || first.Address() != second.Address() {
		t.Errorf("first %d %s, second %d %s", first.PID(), first.Address(), second.PID(), second.Address())
	}
}

// A terminal's output goes through another path in the shim.
func TestTerminalOutputIsComplete(t *testing.T) {
	b := newBench(t)
	spec := b.spec("sh", "-c", "echo one; printerr two")
	spec.TTY = true
	id := b.start(spec)
	b.wait(id)
	if got := b.output(id, runtime.Stdout); got != "one\r\ntwo\r\n" {
		t.Errorf("output is %q", got)
	}
}
