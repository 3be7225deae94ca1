package sim

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/guard"
	"github.com/shunt-fleet/shunt/internal/worker/journal/memjournal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

// node is a machine, its disk, and the worker on it.
type node struct {
	*process
	s        *simulation
	platform messages.Platform
	labels   map[string]string
	machine  *memory.Machine
	eye      *memory.Runtime // of the simulation itself
	journal  *memjournal.Journal
	guard    *guard.Memory // ends what runs under the lease, whatever becomes of the worker
	sight    sight
	asleep   atomic.Bool // its runtime is away
}

var (
	linux   = messages.Platform{OS: messages.Linux, Arch: "amd64"}
	windows = messages.Platform{OS: messages.Windows, Arch: "amd64", OSVersion: "10.0.20348"}
	arm     = messages.Platform{OS: messages.Linux, Arch: "arm64"}
)

// images is what the fleet's registry has. Nobody can run the last.
var images = memory.StaticImages{
	"sim/tool:1":   {{Platform: linux}},
	"sim/server:1": {{Platform: linux, Cmd: []string{"serve"}}},
	"sim/win:1":    {{Platform: windows}},
	"sim/both:1":   {{Platform: linux}, {Platform: windows}},
	"sim/arm:1":    {{Platform: arm}},
}

// total is the room on a node.
var total = messages.Room{CPUMilli: 2000, Memory: 2 << 30, PIDs: 1000}

func newNode(s *simulation, i int) (*node, error) {
	name, platform := fmt.Sprintf("linux-%d", i+1), linux
	if i == 1 {
		name, platform = "win-1", windows
	}
	n := &node{process: newProcess(s, Worker, name), s: s, platform: platform, journal: memjournal.New()}
	n.sight.holds = map[runtime.ContainerID]holding{}
	n.labels = map[string]string{"zone": string(rune('a' + i%2))}
	machine, err := memory.NewMachine(memory.Config{Platforms: []messages.Platform{platform}, Images: images})
	if err != nil {
		return nil, err
	}
	n.machine, n.eye = machine, memory.New(machine)
	n.guard = guard.NewMemory(n.eye, uptime(s.begun), s.logger(name+"'s guard"))
	n.start = n.work
	n.journal.OnSync(n.syncs)
	return n, nil
}

// work is a life of the worker.
func (n *node) work(ctx context.Context, l *life) (func(context.Context), error) {
	n.journal.Reopen()
	l.onEnd(n.journal.Crash)
	handle := memory.New(n.machine)
	l.onEnd(func() { _ = handle.Close() })
	composite, err := runtime.NewComposite(runtime.CompositeConfig{
		Primary:  runtime.Member{Runtime: n.runtimePort(l, witness{handle, n})},
		Resolver: images, Logger: n.s.logger(n.name),
	})
	if err != nil {
		return nil, err
	}
	w, err := worker.Start(ctx, worker.Config{
		Node: n.name, Bus: busPort{l}, Runtime: composite, Journal: journalPort{n.journal, l},
		Labels: n.labels, Host: messages.Host{OS: n.platform.OS, Arch: n.platform.Arch},
		Total: total, Version: "0.0.0", Logger: n.s.logger(n.name),
		Guard: n.guard, Clock: uptime(n.s.begun),
	})
	if err != nil {
		return nil, err
	}
	return w.Stop, nil
}

var errAway = fmt.Errorf("sim: the runtime is away: %w", errdefs.ErrUnavailable)

// runtimePort puts the life between the worker and its runtime. A process that
// is dead has lost its handle on the machine, so what is called then has no
// effect.
func (n *node) runtimePort(l *life, rt runtime.Runtime) runtime.Runtime {
	before := func(c runtimetest.Call) {
		if l.still() {
			n.s.stats.called(Worker, "Runtime."+c.Op)
			l.strike("Runtime."+c.Op, n.count("Runtime."+c.Op), Before)
		}
	}
	after := func(c runtimetest.Call) {
		if l.still() {
			l.strike("Runtime."+c.Op, n.count("Runtime."+c.Op+" ends"), After)
		}
	}
	return runtimetest.Inject(&moody{rt, n},
		runtimetest.Fault{Times: -1, When: runtimetest.Before, Do: before},
		runtimetest.Fault{Times: -1, When: runtimetest.After, Do: after})
}

// attemptOf is the newest attempt of a job that the node's disk knows of.
func (n *node) attemptOf(job string) uint64 {
	a, err := n.journal.Attempt(job, 0)
	if err != nil {
		return 0
	}
	return a.Job.Attempt
}

// cutPower takes the machine down: its worker and all its programs.
func (n *node) cutPower() {
	n.process.now().crash("power lost")
	n.machine.Crash()
	n.guard.Reboot()
}

// uptime is a clock since an instant, which goes on whatever sleeps.
type uptime time.Time

// Now implements lease.Clock.
func (u uptime) Now() time.Duration { return time.Since(time.Time(u)) }

func (s *simulation) logger(process string) *slog.Logger {
	if s.cfg.Logger != nil {
		return s.cfg.Logger.With("process", process)
	}
	return slog.New(s.book.handler(process))
}

// moody is a runtime that can be away.
type moody struct {
	runtime.Runtime
	of *node
}

func (m *moody) away() error {
	if m.of.asleep.Load() {
		return errAway
	}
	return nil
}

// List implements runtime.Inspector.
func (m *moody) List(ctx context.Context) ([]runtime.Container, error) {
	if err := m.away(); err != nil {
		return nil, err
	}
	return m.Runtime.List(ctx)
}

// Inspect implements runtime.Inspector.
func (m *moody) Inspect(ctx context.Context, id runtime.ContainerID) (runtime.Details, error) {
	if err := m.away(); err != nil {
		return runtime.Details{}, err
	}
	return m.Runtime.Inspect(ctx, id)
}

// Pull implements runtime.Images.
func (m *moody) Pull(ctx context.Context, ref string, opts runtime.PullOptions) (runtime.ImageInfo, error) {
	if err := m.away(); err != nil {
		return runtime.ImageInfo{}, err
	}
	return m.Runtime.Pull(ctx, ref, opts)
}

// Create implements runtime.Lifecycle.
func (m *moody) Create(ctx context.Context, id runtime.ContainerID, spec *messages.Spec, opts runtime.CreateOptions) error {
	if err := m.away(); err != nil {
		return err
	}
	return m.Runtime.Create(ctx, id, spec, opts)
}

// Start implements runtime.Lifecycle. A runtime that goes away may have done
// what it was asked for.
func (m *moody) Start(ctx context.Context, id runtime.ContainerID) error {
	if err := m.away(); err != nil {
		if n := m.of.count("Start of a runtime that is away"); m.of.s.dice.chance(2, "start", m.of.name, n) {
			_ = m.Runtime.Start(ctx, id)
		}
		return err
	}
	return m.Runtime.Start(ctx, id)
}

// Probe implements runtime.Runner. A program that is as it should be is found
// not to be now and then.
func (m *moody) Probe(ctx context.Context, id runtime.ContainerID, check messages.Health) (runtime.Verdict, error) {
	if err := m.away(); err != nil {
		return runtime.Verdict{}, err
	}
	v, err := m.Runtime.Probe(ctx, id, check)
	if n := m.of.count("a check that fails"); err == nil && m.of.s.faulty() && m.of.s.dice.chance(4, "check", m.of.name, n) {
		v = runtime.Verdict{Output: "out of sorts"}
	}
	return v, err
}

// Stop implements runtime.Lifecycle.
func (m *moody) Stop(ctx context.Context, id runtime.ContainerID, timeout time.Duration) error {
	if err := m.away(); err != nil {
		return err
	}
	return m.Runtime.Stop(ctx, id, timeout)
}

// Remove implements runtime.Lifecycle.
func (m *moody) Remove(ctx context.Context, id runtime.ContainerID, opts runtime.RemoveOptions) error {
	if err := m.away(); err != nil {
		return err
	}
	return m.Runtime.Remove(ctx, id, opts)
}
