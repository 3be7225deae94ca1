package placer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
	"github.com/shunt-fleet/shunt/internal/placer"
	"github.com/shunt-fleet/shunt/internal/worker"
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

var images = memory.StaticImages{
	"team/tool:1":   {{Platform: linux}},
	"team/server:1": {{Platform: linux, Cmd: []string{"serve"}}},
	"team/both:1":   {{Platform: linux}, {Platform: windows}},
	"team/arm:1":    {{Platform: messages.Platform{OS: messages.Linux, Arch: "arm64"}}},
}

// yard is a fleet in a bubble of virtual time: a bus, and whatever workers and
// placers a test puts on it.
type yard struct {
	junk   string // a message that a stranger sends and nobody is to read
	t      *testing.T
	server *membus.Server
	client *membus.Conn
	log    *slog.Logger
	layout bus.Layout

	mu       sync.Mutex
	done     map[string][]messages.Record
	dead     map[string][]messages.Record
	outcomes []messages.Outcome
}

func inYard(t *testing.T, test func(t *testing.T, y *yard)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		y := &yard{
			t: t, server: membus.NewServer(), log: slog.New(slog.NewTextHandler(t.Output(), nil)),
			layout: bus.NewLayout(root, 1, bus.DefaultBudget),
			done:   map[string][]messages.Record{}, dead: map[string][]messages.Record{},
		}
		y.client = y.server.Connect("client")
		if err := y.client.Ensure(t.Context(), y.layout); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = y.client.Close(context.Background()) })
		y.records(messages.StreamDone, y.done)
		y.records(messages.StreamDead, y.dead)
		y.subscribe(root.Outcome("*", "*"), func(m bus.Message) {
			if strings.HasPrefix(m.Subject, root.Outcome("stranger", "")) {
				return // says what it likes
			}
			o := decoded[messages.Outcome](y, m)
			y.mu.Lock()
			defer y.mu.Unlock()
			y.outcomes = append(y.outcomes, o)
		})
		test(t, y)
	})
}

func decoded[T any, P interface {
	*T
	messages.Validator
}](y *yard, m bus.Message) T {
	v, err := messages.Decode[T, P](m.Data)
	if err != nil {
		y.t.Errorf("%s: %v\n%.300s", m.Subject, err, m.Data)
	}
	return v
}

func (y *yard) subscribe(subject string, f func(bus.Message)) {
	y.t.Helper()
	if _, err := y.client.Subscribe(subject, f); err != nil {
		y.t.Fatal(err)
	}
}

// records hears what a stream takes in; what it refuses is not said.
func (y *yard) records(stream string, into map[string][]messages.Record) {
	y.t.Helper()
	c := bus.Consumer{Stream: root.Stream(stream), Name: "test"}
	if _, err := y.client.Consume(y.t.Context(), c, func(d bus.Delivery) {
		if string(d.Message().Data) != y.junk {
			r := decoded[messages.Record](y, d.Message())
			y.mu.Lock()
			into[r.Job.ID] = append(into[r.Job.ID], r)
			y.mu.Unlock()
		}
		if err := d.Ack(context.Background()); err != nil {
			y.t.Error(err)
		}
	}); err != nil {
		y.t.Fatal(err)
	}
}

// worker puts a worker on the bus. It is stopped with the test, or by the func.
func (y *yard) worker(node string, platform messages.Platform, change ...func(*worker.Config)) (stop func()) {
	y.t.Helper()
	machine, err := memory.NewMachine(memory.Config{Platforms: []messages.Platform{platform}, Images: images})
	if err != nil {
		y.t.Fatal(err)
	}
	composite, err := runtime.NewComposite(runtime.CompositeConfig{
		Primary: runtime.Member{Runtime: memory.New(machine)}, Resolver: images, Logger: y.log,
	})
	if err != nil {
		y.t.Fatal(err)
	}
	conn := y.server.Connect(node)
	cfg := worker.Config{
		Node: node, Bus: conn, Runtime: composite, Journal: memjournal.New(), Logger: y.log,
		Host:  messages.Host{OS: platform.OS, Arch: platform.Arch},
		Total: messages.Room{CPUMilli: 1000, Memory: 1 << 30},
	}
	for _, f := range change {
		f(&cfg)
	}
	w, err := worker.Start(y.t.Context(), cfg)
	if err != nil {
		y.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		w.Stop(ctx)
		_ = conn.Close(ctx)
		_ = machine.Close()
	})
	y.t.Cleanup(stop)
	synctest.Wait()
	return stop
}

// placer puts a placer on the bus; wrap may stand between the two.
func (y *yard) placer(id string, wrap ...func(bus.Bus) bus.Bus) (stop func()) {
	y.t.Helper()
	return y.placerOn(y.server.Connect(id), id, wrap...)
}

// placerConn puts a placer on the bus, and gives its connection.
func (y *yard) placerConn(id string) *membus.Conn {
	y.t.Helper()
	conn := y.server.Connect(id)
	y.placerOn(conn, id)
	return conn
}

func (y *yard) placerOn(conn *membus.Conn, id string, wrap ...func(bus.Bus) bus.Bus) (stop func()) {
	y.t.Helper()
	var b bus.Bus = conn
	for _, f := range wrap {
		b = f(b)
	}
	p, err := placer.Start(y.t.Context(), placer.Config{ID: id, Bus: b, Layout: y.layout, Logger: y.log})
	if err != nil {
		y.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		p.Stop(ctx)
		_ = conn.Close(ctx)
	})
	y.t.Cleanup(stop)
	synctest.Wait()
	return stop
}

// submit puts a job on intake.
func (y *yard) submit(job messages.Job) {
	y.t.Helper()
	data, err := messages.Encode(job)
	if err != nil {
		y.t.Fatal(err)
	}
	y.append(root.Job(job.ID), data)
}

func (y *yard) append(subject string, data []byte) {
	y.t.Helper()
	if _, err := y.client.Append(y.t.Context(), bus.Message{Subject: subject, Data: data}); err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) cancel(job string) { y.append(root.Cancel(job), []byte(`{"v":1,"reason":"enough"}`)) }

// direct sends a job to a node.
func (y *yard) direct(node string, job messages.Job) messages.Outcome {
	y.t.Helper()
	data, err := messages.Encode(job)
	if err != nil {
		y.t.Fatal(err)
	}
	reply, err := y.client.Request(y.t.Context(), bus.Message{Subject: root.Command(node), Data: data})
	if err != nil {
		y.t.Fatal(err)
	}
	return decoded[messages.Outcome](y, reply)
}

// verb asks the placers.
func verb[T any](y *yard, v messages.PlacerVerb, request any) T {
	y.t.Helper()
	data, err := messages.Encode(request)
	if err != nil {
		y.t.Fatal(err)
	}
	reply, err := y.client.Request(y.t.Context(), bus.Message{Subject: root.PlacerVerb(v), Data: data})
	if err != nil {
		y.t.Fatal(err)
	}
	if e := reply.Header[messages.HeaderError]; e != "" {
		y.t.Fatalf("%s: %s", v, e)
	}
	value, err := decodeAs[T](reply.Data)
	if err != nil {
		y.t.Fatal(err)
	}
	return value
}

// refused is the error with which a placer answers.
func (y *yard) refused(v messages.PlacerVerb, request any) string {
	y.t.Helper()
	data, err := messages.Encode(request)
	if err != nil {
		y.t.Fatal(err)
	}
	reply, err := y.client.Request(y.t.Context(), bus.Message{Subject: root.PlacerVerb(v), Data: data})
	if err != nil {
		y.t.Fatal(err)
	}
	return reply.Header[messages.HeaderError]
}

func (y *yard) record(job string) messages.Record {
	y.t.Helper()
	return verb[messages.Record](y, messages.PlacerJob, messages.JobRequest{V: 1, ID: job})
}

// ended is the one last word on a job.
func (y *yard) ended(job string) messages.Record {
	y.t.Helper()
	synctest.Wait()
	y.mu.Lock()
	defer y.mu.Unlock()
	if n := len(y.done[job]); n != 1 {
		y.t.Fatalf("%d last words were said on %s", n, job)
	}
	return y.done[job][0]
}

// rejection is what the placers said is wrong with a job.
func (y *yard) rejection(job string) *messages.Error {
	y.t.Helper()
	synctest.Wait()
	y.mu.Lock()
	defer y.mu.Unlock()
	for _, o := range slices.Backward(y.outcomes) {
		if o.Node == messages.PlacerNode && (o.Job == job) {
			return o.Error
		}
	}
	y.t.Fatalf("%s was not rejected", job)
	return nil
}

// story is a record's history as "node attempt event".
func story(r messages.Record) string {
	var parts []string
	for _, h := range r.History {
		parts = append(parts, fmt.Sprintf("%s %d %s", h.Node, h.Attempt, h.Event))
	}
	return strings.Join(parts, ", ")
}

// left is the keys that are in the bucket of jobs.
func (y *yard) left() []string {
	y.t.Helper()
	var keys []string
	ctx, cancel := context.WithCancel(y.t.Context())
	defer cancel()
	for c, err := range y.client.Bucket(root.Stream(messages.BucketJobs)).Watch(ctx) {
		if err != nil {
			y.t.Fatal(err)
		}
		if c.Current {
			break
		}
		if !c.Deleted {
			keys = append(keys, c.Key)
		}
	}
	return keys
}

func task(id string, cmd ...string) messages.Job {
	return messages.Job{V: messages.Version, ID: id, Op: messages.OpRun, Spec: &messages.Spec{Image: "team/tool:1", Entrypoint: cmd}}
}

func decodeAs[T any](data []byte) (v T, err error) { return v, json.Unmarshal(data, &v) }
