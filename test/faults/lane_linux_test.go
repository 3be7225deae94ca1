package faults

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shunt-fleet/shunt/internal/census"
	"github.com/shunt-fleet/shunt/internal/grpcfault"
	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
)

// lane is a Runtime in a namespace of its own, with a proxy that fails between
// it and containerd.
type lane struct {
	testing.TB
	ctx   context.Context
	m     *machine
	proxy *grpcfault.Proxy
	cfg   containerd.Config
	rt    *containerd.Runtime
	// hasty is the same, and soon takes containerd for away.
	hasty *containerd.Runtime
	image string // held
	other string // in the registry alone; "": none
	id    runtime.ContainerID
	apart bool // from the test's own goroutine
	// mayLose says that a program may end while containerd is dead, which loses
	// its exit code.
	mayLose bool
	place   census.Place
	clean   census.Census
}

var lanes atomic.Int64

// haste is how long a hasty runtime waits for an answer, and insists.
const haste = 3 * time.Second

func newLane(t testing.TB, m *machine) *lane {
	t.Helper()
	dir, err := os.MkdirTemp("", "lane-") // a short path, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return newLaneIn(t, m, dir)
}

// newLaneIn is a lane with its state below a directory.
func newLaneIn(t testing.TB, m *machine, dir string) *lane {
	t.Helper()
	n := lanes.Add(1)
	l := &lane{TB: t, ctx: t.Context(), m: m, id: runtime.ContainerID{Service: fmt.Sprintf("c%d", n)}}
	namespace := fmt.Sprintf("faults-%d-%d", os.Getpid(), n)
	l.cfg = containerd.Config{
		Address:      filepath.Join(dir, "sock"),
		StateDir:     filepath.Join(dir, "state"),
		LoggerPath:   filepath.Join(testenv.Bin(t), "worker"),
		Namespace:    namespace,
		CgroupParent: "/shunt-faults/" + namespace,
		RunDir:       filepath.Join(dir, "run"),
		CNIPlugins:   []string{filepath.Join(m.tools, "cni")},
		Logger:       slog.New(slog.DiscardHandler),
	}
	var err error
	if l.proxy, err = grpcfault.Listen(l.cfg.Address, m.c.Address()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.proxy.Close() })
	l.rt = l.open(l.cfg)
	hasty := l.cfg
	hasty.CallTimeout = haste
	l.hasty = l.open(hasty)
	t.Cleanup(l.empty)
	l.place = census.Place{
		Address: m.c.Address(), Namespace: namespace,
		Dirs:         []string{dir, filepath.Join(m.runDir(), "state", "io.containerd.runtime.v2.task", namespace)},
		Skip:         []string{filepath.Join(l.cfg.StateDir, "logs", "removed"), filepath.Join(l.cfg.RunDir, "runc")},
		CgroupParent: l.cfg.CgroupParent,
	}
	l.image = l.push("app")
	l.settle()
	return l
}

func (l *lane) open(cfg containerd.Config) *containerd.Runtime {
	l.Helper()
	rt, err := containerd.New(l.ctx, cfg)
	l.must(err)
	l.Cleanup(func() { rt.Close() })
	return rt
}

// settle runs a container once, so that what is read once was read, and takes
// what is there afterwards for clean.
func (l *lane) settle() {
	l.Helper()
	_, err := l.rt.Pull(l.ctx, l.image, runtime.PullOptions{})
	l.must(err)
	for _, rt := range []*containerd.Runtime{l.rt, l.hasty} {
		spec := l.spec("sleep", "3600")
		spec.Network = messages.NetworkDefault
		l.must(rt.Create(l.ctx, l.id, spec, runtime.CreateOptions{}))
		l.must(rt.Start(l.ctx, l.id))
		_, err = rt.Exec(l.ctx, l.id, runtime.ExecOptions{Cmd: []string{"true"}})
		l.must(err)
		l.must(rt.Remove(l.ctx, l.id, runtime.RemoveOptions{Force: true}))
	}
	l.clean, err = census.Take(l.ctx, l.place)
	l.must(err)
}

// push makes an image with a layer of its own.
func (l *lane) push(name string) string {
	l.Helper()
	return l.pushSized(name, 64<<10)
}

func (l *lane) pushSized(name string, bytes int64) string {
	l.Helper()
	img, err := toybox.Image(testenv.Toybox(l), toybox.Linux(goruntime.GOARCH))
	l.must(err)
	layer, err := random.Layer(bytes, types.OCILayer)
	l.must(err)
	img, err = mutate.AppendLayers(img, layer)
	l.must(err)
	ref, err := l.m.reg.Push(l.ctx, fmt.Sprintf("%s-%s:1", name, l.id.Service), img)
	l.must(err)
	return ref
}

// settles waits until the lane is as it was at first.
func (l *lane) settles() {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
	defer cancel()
	l.must(census.Settle(ctx, l.place, l.clean))
}

func (l *lane) spec(args ...string) *messages.Spec {
	return &messages.Spec{Image: l.image, Args: args, Network: messages.NetworkNone}
}

// must ends the test, or, of a lane that is driven apart from it, the goroutine.
func (l *lane) must(err error) {
	l.Helper()
	if err == nil {
		return
	}
	l.Error(err)
	if l.apart {
		goruntime.Goexit()
	}
	l.FailNow()
}

func (l *lane) empty() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	l.proxy.Plan(nil)
	list, err := l.rt.List(ctx)
	if err != nil {
		l.Error(err)
	}
	for _, c := range list {
		if err := l.rt.Remove(ctx, c.ID, runtime.RemoveOptions{Force: true}); err != nil {
			l.Error(err)
		}
	}
	if _, err := l.rt.PruneImages(ctx); err != nil {
		l.Error(err)
	}
	if err := l.rt.Discard(ctx); err != nil {
		l.Error(err)
	}
}
