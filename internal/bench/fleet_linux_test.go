package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
)

// fleet is a placer and a worker, each a process, and a scheduler's connection
// to them that speaks the contract and nothing else.
type fleet struct {
	nc    *nats.Conn
	js    jetstream.JetStream
	image string

	mu      sync.Mutex
	asked   map[string]chan *nats.Msg // by job; what is said last of it
	present map[string]bool           // jobs whose container is not removed yet
	empty   chan struct{}             // closed when present becomes empty
}

// newFleet starts a placer whose own NATS server syncs as told, and a worker
// over the containerd given, in a namespace of its own.
func newFleet(b *testing.B, bin, tools, address, sync, image string) *fleet {
	b.Helper()
	dir, namespace := b.TempDir(), "shunt-bench-"+sync
	b.Cleanup(func() { discard(b, address, namespace, dir) })
	placer := start(b, filepath.Join(bin, "placer"), "--embed-nats", "127.0.0.1:0",
		"--store-dir", filepath.Join(dir, "nats"), "--sync", sync)
	start(b, filepath.Join(bin, "worker"), "--nats", placer["nats"], "--node", "bench",
		"--state-dir", filepath.Join(dir, "worker"), "--tools", tools,
		"--containerd", address, "--namespace", namespace)
	nc, err := nats.Connect(placer["nats"])
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	f := &fleet{nc: nc, image: image, asked: map[string]chan *nats.Msg{}, present: map[string]bool{}}
	if f.js, err = jetstream.New(nc); err != nil {
		b.Fatal(err)
	}
	if err := f.listen(); err != nil {
		b.Fatal(err)
	}
	return f
}

// discard removes what a worker whose containers are gone has on the machine.
func discard(b *testing.B, address, namespace, dir string) {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	rt, err := containerd.New(ctx, containerd.Config{Address: address, Namespace: namespace, StateDir: filepath.Join(dir, "worker", "containers"), LoggerPath: "/bin/true",
		CNIPlugins: []string{filepath.Join(testenv.Tools(b), "cni")}})
	if err != nil {
		b.Error(err)
		return
	}
	defer rt.Close()
	if err := rt.Discard(ctx); err != nil {
		b.Error(err)
	}
}

// listen hears the last words on jobs, and that containers are gone.
func (f *fleet) listen() error {
	root := messages.Root(messages.DefaultRoot)
	for subject, hear := range map[string]nats.MsgHandler{
		root.Done("*"):                             f.ended,
		root.Outcome(messages.PlacerNode, "*"):     f.ended,
		root.Event("bench", messages.EventRemoved): f.removed,
	} {
		if _, err := f.nc.Subscribe(subject, hear); err != nil {
			return err
		}
	}
	return f.nc.Flush()
}

func (f *fleet) ended(m *nats.Msg) {
	job := m.Subject[strings.LastIndexByte(m.Subject, '.')+1:]
	f.mu.Lock()
	defer f.mu.Unlock()
	if heard := f.asked[job]; heard != nil {
		heard <- m
		delete(f.asked, job)
	}
}

func (f *fleet) removed(m *nats.Msg) {
	var event messages.Event
	if json.Unmarshal(m.Data, &event) != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.present, event.Job)
	if len(f.present) == 0 && f.empty != nil {
		close(f.empty)
		f.empty = nil
	}
}

// ask notes that a job's end is waited for.
func (f *fleet) ask(job string) <-chan *nats.Msg {
	f.mu.Lock()
	defer f.mu.Unlock()
	heard := make(chan *nats.Msg, 1)
	f.asked[job] = heard
	f.present[job] = true
	return heard
}

// run gives the fleet a job and hears its end.
func (f *fleet) run(ctx context.Context, id string) (known time.Time, err error) {
	job := messages.Job{V: messages.Version, ID: id, Op: messages.OpRun, Spec: &messages.Spec{Image: f.image}}
	data, err := json.Marshal(job)
	if err != nil {
		return known, err
	}
	heard := f.ask(id)
	if _, err := f.js.Publish(ctx, messages.Root(messages.DefaultRoot).Job(id), data); err != nil {
		return known, err
	}
	select {
	case m := <-heard:
		known = time.Now()
		var record messages.Record
		if err := json.Unmarshal(m.Data, &record); err != nil {
			return known, err
		}
		if record.State != messages.StateCompleted {
			return known, fmt.Errorf("job %s did not complete: %s", id, m.Data)
		}
		return known, nil
	case <-ctx.Done():
		return known, fmt.Errorf("job %s: %w", id, context.Cause(ctx))
	}
}

// settle waits until the containers of all jobs are removed, which the worker
// does after it has said how they ended.
func (f *fleet) settle(ctx context.Context) error {
	f.mu.Lock()
	left := len(f.present)
	if left == 0 {
		f.mu.Unlock()
		return nil
	}
	empty := make(chan struct{})
	f.empty = empty
	f.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d containers are not removed: %w", left, context.Cause(ctx))
	}
}
