package containerd_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/logger"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/managed"
)

// TestMain is the logger too, when the shim starts this test's binary as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "log" {
		os.Exit(logger.Main(os.Args[2:]))
	}
	code := m.Run()
	if err := shared.stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// shared is the containerd that most tests of the package use.
var shared daemon

type daemon struct {
	once sync.Once
	dir  string
	c    *managed.Containerd
	err  error
}

func (d *daemon) start(t testing.TB) *managed.Containerd {
	t.Helper()
	tools := testenv.Tools(t)
	d.once.Do(func() {
		if d.dir, d.err = os.MkdirTemp("", "shunt-containerd-"); d.err == nil {
			d.c, d.err = managed.Start(context.Background(), managed.Config{StateDir: d.dir, Tools: tools, Logger: slog.New(slog.DiscardHandler)})
		}
	})
	if d.err != nil {
		t.Fatal(d.err)
	}
	return d.c
}

func (d *daemon) stop() error {
	if d.c == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := d.c.Shutdown(ctx); err != nil {
		return err
	}
	os.RemoveAll(filepath.Dir(d.c.Address()))
	return os.RemoveAll(d.dir)
}

// bench is a runtime on a namespace of its own, emptied when the test ends.
type bench struct {
	testing.TB
	ctx    context.Context
	cfg    containerd.Config
	rt     *containerd.Runtime
	reg    *toybox.Registry
	image  string // pulled
	number atomic.Int64
}

var namespaceNumber atomic.Int64

func newBench(t testing.TB) *bench {
	t.Helper()
	return benchOn(t, shared.start(t).Address(), t.TempDir())
}

func benchOn(t testing.TB, address, stateDir string) *bench {
	t.Helper()
	logs, err := loggerPath()
	if err != nil {
		t.Fatal(err)
	}
	namespace := fmt.Sprintf("test-%d-%d", os.Getpid(), namespaceNumber.Add(1))
	b := &bench{TB: t, ctx: t.Context(), cfg: containerd.Config{
		Address:    address,
		StateDir:   stateDir,
		LoggerPath: logs,
		CNIPlugins: []string{filepath.Join(testenv.Tools(t), "cni")},
		Namespace:  namespace,
		RunDir:     filepath.Join("/run/shunt", namespace),
		Logger:     slog.New(slog.NewTextHandler(t.Output(), nil)),
	}}
	b.rt = b.open()
	b.must(b.rt.Tend(b.ctx))
	t.Cleanup(b.empty)
	b.reg, err = toybox.Serve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.reg.Close() })
	b.image = b.push("toybox:1")
	if _, err := b.rt.Pull(b.ctx, b.image, runtime.PullOptions{}); err != nil {
		t.Fatal(err)
	}
	return b
}

// loggerPath is the worker that was built, or else this test's own binary: that
// is large, and starts slowly under the race detector, once for each container.
func loggerPath() (string, error) {
	worker := filepath.Join(os.Getenv("SHUNT_BIN"), "worker")
	if info, err := os.Stat(worker); err == nil && info.Mode().IsRegular() && filepath.IsAbs(worker) {
		return worker, nil
	}
	return os.Executable()
}

// open makes a Runtime over the same state, as a restarted worker does.
func (b *bench) open() *containerd.Runtime {
	b.Helper()
	rt, err := containerd.New(b.ctx, b.cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { rt.Close() })
	return rt
}

// reopen is a worker's restart.
func (b *bench) reopen() {
	b.Helper()
	b.rt.Close()
	b.rt = b.open()
	b.must(b.rt.Tend(b.ctx))
}

func (b *bench) push(name string, options ...toybox.Option) string {
	b.Helper()
	img, err := toybox.Image(testenv.Toybox(b), toybox.Linux(goruntime.GOARCH), options...)
	if err != nil {
		b.Fatal(err)
	}
	ref, err := b.reg.Push(b.ctx, name, img)
	if err != nil {
		b.Fatal(err)
	}
	return ref
}

func (b *bench) empty() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b.rt.Close() // which tends containers, and one at a time does
	rt, err := containerd.New(ctx, b.cfg)
	if err != nil {
		b.Error(err)
		return
	}
	defer rt.Close()
	list, err := rt.List(ctx)
	if err != nil {
		b.Error(err)
	}
	for _, c := range list {
		if err := rt.Remove(ctx, c.ID, runtime.RemoveOptions{Force: true}); err != nil {
			b.Error(err)
		}
	}
	if _, err := rt.PruneImages(ctx); err != nil {
		b.Error(err)
	}
	if err := rt.Discard(ctx); err != nil {
		b.Error(err)
	}
}

func (b *bench) id() runtime.ContainerID {
	return runtime.ContainerID{Service: fmt.Sprintf("c%d", b.number.Add(1))}
}

func (b *bench) spec(args ...string) *messages.Spec {
	return &messages.Spec{Image: b.image, Args: args}
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// create makes a container.
func (b *bench) create(spec *messages.Spec) runtime.ContainerID {
	b.Helper()
	id := b.id()
	owner := runtime.Owner{Job: "job-" + id.Service, Attempt: 3}
	b.must(b.rt.Create(b.ctx, id, spec, runtime.CreateOptions{Owner: owner}))
	return id
}

// start makes a container and starts it.
func (b *bench) start(spec *messages.Spec) runtime.ContainerID {
	b.Helper()
	id := b.create(spec)
	b.must(b.rt.Start(b.ctx, id))
	return id
}

func (b *bench) wait(id runtime.ContainerID) runtime.WaitOutcome {
	b.Helper()
	out, err := b.rt.WaitOutcome(b.ctx, id, messages.WaitNotRunning)
	b.must(err)
	return out
}

// run makes a container, runs it to its end, and gives its stdout.
func (b *bench) run(spec *messages.Spec) (string, runtime.WaitOutcome) {
	b.Helper()
	id := b.start(spec)
	out := b.wait(id)
	return b.output(id, runtime.Stdout), out
}

func (b *bench) output(id runtime.ContainerID, stream runtime.Stream) string {
	b.Helper()
	var text strings.Builder
	for e, err := range b.rt.Logs(b.ctx, id, runtime.LogOptions{Tail: -1}) {
		b.must(err)
		if e.Stream == stream {
			text.Write(e.Message)
		}
	}
	return text.String()
}

// printed waits until the container has printed a line.
func (b *bench) printed(id runtime.ContainerID, line string) {
	b.Helper()
	for e, err := range b.rt.Logs(b.ctx, id, runtime.LogOptions{Tail: -1, Follow: true}) {
		b.must(err)
		if string(e.Message) == line+"\n" {
			return
		}
	}
	b.Fatalf("%s ended without printing %q", id, line)
}

func testLog(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// shutDown stops a containerd of the test's own. It is registered before the
// containers' clean-up, and so runs after it.
func shutDown(t testing.TB, c *managed.Containerd) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := c.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	os.RemoveAll(filepath.Dir(c.Address()))
}

// parentOf is the parent of a process: of a container's first one, its shim.
func parentOf(t testing.TB, pid int) int {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	var parent int
	for line := range strings.Lines(string(data)) {
		if n, _ := fmt.Sscanf(line, "PPid: %d", &parent); n == 1 {
			return parent
		}
	}
	t.Fatalf("no parent of %d", pid)
	return 0
}

// until waits for a condition.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("in vain: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}
