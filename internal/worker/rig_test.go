package worker_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/internal/worker/journal/memjournal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

var (
	linux   = messages.Platform{OS: messages.Linux, Arch: "amd64"}
	windows = messages.Platform{OS: messages.Windows, Arch: "amd64", OSVersion: "10.0.20348"}
	root    = messages.Root(messages.DefaultRoot)
)

// images is what the rig's registry has.
var images = memory.StaticImages{
	"team/tool:1":   {{Platform: linux}},
	"team/server:1": {{Platform: linux, Cmd: []string{"serve"}}},
	"team/win:1":    {{Platform: windows}},
	"team/both:1":   {{Platform: linux}, {Platform: windows}},
}

// rig is a worker over a bus, a machine and a journal that outlive it, in a
// bubble of virtual time.
type rig struct {
	t       *testing.T
	server  *membus.Server
	client  *membus.Conn
	machine *memory.Machine
	journal *memjournal.Journal
	faulty  *faultyRuntime
	bus     *faultyBus
	cfg     worker.Config
	w       *worker.Worker
	away    bool                                             // the runtime is, when a worker starts
	asked   int                                              // requests and commands, for their names
	pulls   func(context.Context, runtime.PullOptions) error // the runtime's

	mu       sync.Mutex
	outcomes []messages.Outcome
	beats    []messages.Capabilities
}

// inRig runs a test in a rig, with a worker that has started.
func inRig(t *testing.T, test func(t *testing.T, r *rig), change ...func(*worker.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, change...)
		r.start()
		test(t, r)
		r.stop()
	})
}

func newRig(t *testing.T, change ...func(*worker.Config)) *rig {
	t.Helper()
	machine, err := memory.NewMachine(memory.Config{Platforms: []messages.Platform{linux}, Images: images})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, server: membus.NewServer(), machine: machine, journal: memjournal.New()}
	r.client = r.server.Connect("client")
	if err := r.client.Ensure(t.Context(), bus.NewLayout(root, 1, bus.DefaultBudget)); err != nil {
		t.Fatal(err)
	}
	r.hear()
	r.cfg = worker.Config{
		Node: "linux-1", Journal: r.journal, Version: "1.2.3",
		Host: messages.Host{OS: messages.Linux, Arch: "amd64"}, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Total: messages.Room{CPUMilli: 1000, Memory: 1 << 30},
	}
	for _, f := range change {
		f(&r.cfg)
	}
	t.Cleanup(func() {
		r.stop()
		_ = r.client.Close(context.Background())
		_ = machine.Close()
	})
	return r
}

func (r *rig) hear() {
	r.subscribe(root.Outcome("*", "*"), func(m bus.Message) {
		o, err := messages.Decode[messages.Outcome](m.Data)
		if err != nil {
			r.t.Errorf("a placer would drop this outcome: %v\n%s", err, m.Data)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.outcomes = append(r.outcomes, o)
	})
	r.subscribe(root.Capabilities("*"), func(m bus.Message) {
		c, err := messages.Decode[messages.Capabilities](m.Data)
		if err != nil {
			r.t.Errorf("a peer would drop this heartbeat: %v\n%s", err, m.Data)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.beats = append(r.beats, c)
	})
}

func (r *rig) subscribe(subject string, f func(bus.Message)) {
	if _, err := r.client.Subscribe(subject, f); err != nil {
		r.t.Fatal(err)
	}
}

// start starts a worker over what the last one left.
func (r *rig) start() {
	r.t.Helper()
	r.faulty = &faultyRuntime{Runtime: memory.New(r.machine), away: r.away, pulls: r.pulls}
	composite, err := runtime.NewComposite(runtime.CompositeConfig{
		Primary: runtime.Member{Runtime: r.faulty}, Resolver: images, Logger: r.cfg.Logger,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.bus = &faultyBus{Bus: r.server.Connect("worker")}
	r.cfg.Bus, r.cfg.Runtime = r.bus, composite
	if r.w, err = worker.Start(r.t.Context(), r.cfg); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

// stop stops the worker and leaves its containers running.
func (r *rig) stop() {
	if r.w == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	r.w.Stop(ctx)
	r.w = nil
	_ = r.bus.Close(ctx)
}

// restart is what an upgrade of the worker does.
func (r *rig) restart() {
	r.t.Helper()
	r.stop()
	r.journal.Reopen()
	r.start()
}

// send sends a command and gives the answer.
func (r *rig) send(job messages.Job, header ...string) messages.Outcome {
	r.t.Helper()
	data, err := messages.Encode(job)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.sendRaw(data, header...)
}

func (r *rig) sendRaw(data []byte, header ...string) messages.Outcome {
	r.t.Helper()
	m := bus.Message{Subject: root.Command("linux-1"), Data: data, Header: bus.Header{}}
	for i := 0; i < len(header); i += 2 {
		m.Header[header[i]] = header[i+1]
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Hour)
	defer cancel()
	reply, err := r.client.Request(ctx, m)
	if err != nil {
		r.t.Fatalf("no answer: %v", err)
	}
	o, err := messages.Decode[messages.Outcome](reply.Data)
	if err != nil {
		r.t.Fatalf("the answer is no outcome: %v\n%s", err, reply.Data)
	}
	return o
}

// said is what has been published about a job, as "attempt.seq status".
func (r *rig) said(job string) string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	var parts []string
	for _, o := range r.outcomes {
		if o.Job == job {
			parts = append(parts, fmt.Sprintf("%d.%d %s", o.Attempt, o.Seq, o.Status))
		}
	}
	return strings.Join(parts, ", ")
}

func (r *rig) last(job string) messages.Outcome {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.outcomes) - 1; i >= 0; i-- {
		if r.outcomes[i].Job == job {
			return r.outcomes[i]
		}
	}
	r.t.Fatalf("nothing was said of %s", job)
	return messages.Outcome{}
}

func (r *rig) lastBeat() messages.Capabilities {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.beats[len(r.beats)-1]
}

// containers lists what the machine holds, as "name phase".
func (r *rig) containers() string {
	r.t.Helper()
	held, err := memory.New(r.machine).List(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	var parts []string
	for _, c := range held {
		parts = append(parts, fmt.Sprintf("%s %s", c.ID, c.State.Phase))
	}
	return strings.Join(parts, ", ")
}

// task is a direct job that runs a command.
func task(id string, cmd ...string) messages.Job {
	return messages.Job{V: messages.Version, ID: id, Op: messages.OpRun, Spec: &messages.Spec{Image: "team/tool:1", Entrypoint: cmd}}
}

// placed is a job as a placer sends it.
func placed(job messages.Job, attempt uint64) messages.Job {
	job.Attempt = attempt
	return job
}

func revoke(id string, upTo uint64) messages.Job {
	return messages.Job{
		V: messages.Version, ID: id, Op: messages.OpRevoke, Attempt: upTo,
		Container: id + "-rep-0", Args: messages.Args{Attempt: upTo},
	}
}

// written is an attempt in the journal as a worker that was killed left it.
func (r *rig) written(job messages.Job, phase journal.Phase) {
	r.t.Helper()
	a := journal.Attempt{Job: job, Phase: phase, Accepted: time.Now()}
	if phase == journal.PhaseStarting {
		a.Started = time.Now()
	}
	a.Last = &messages.Outcome{V: 1, Job: job.ID, Op: job.Op, Node: "linux-1", Attempt: job.Attempt, Seq: 1, Status: messages.StatusAccepted, At: time.Now()}
	if err := r.journal.Write(a); err != nil {
		r.t.Fatal(err)
	}
}
