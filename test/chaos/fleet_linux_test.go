package chaos_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
	rt "github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/managed"
)

const (
	// patience bounds every wait; only a test that fails waits so long.
	patience = 3 * time.Minute
	// ttl is how long a worker counts as alive after a heartbeat.
	ttl       = 4 * time.Second
	heartbeat = time.Second
)

// fleet is everything that runs.
type fleet struct {
	t        *testing.T
	dir      string
	recorder *checker.Recorder
	truth    *truth
	image    string

	server  *daemon
	placers []*daemon
	workers []*daemon // named as their nodes
	js      jetstream.JetStream
	nc      *nats.Conn
}

// newFleet starts all of it, and waits until every process is ready.
func newFleet(t *testing.T, dir string, recorder *checker.Recorder) *fleet {
	t.Helper()
	f := &fleet{t: t, dir: dir, recorder: recorder}
	bin, tools := testenv.Bin(t), testenv.Tools(t)
	f.serveImage()
	address := f.ownContainerd(tools)
	f.truth = watch(t, address)

	listen := freeAddress(t)
	url := "nats://" + listen
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f.server = newDaemon(t, dir, "nats", self, []string{serveAddress + "=" + listen, serveStore + "=" + filepath.Join(dir, "store")})
	for _, name := range []string{"placer-1", "placer-2"} {
		f.placers = append(f.placers, newDaemon(t, dir, name, filepath.Join(bin, "placer"), nil,
			"--nats", url, "--id", name, "--request-timeout", "2s"))
	}
	for _, node := range []string{"n1", "n2", "n3", "n4"} {
		f.workers = append(f.workers, newDaemon(t, dir, node, filepath.Join(bin, "worker"), nil,
			"--nats", url, "--node", node, "--state-dir", filepath.Join(dir, node), "--containerd", address,
			"--namespace", namespacePrefix+node, "--tools", tools, "--heartbeat", heartbeat.String(), "--ttl", ttl.String()))
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, d := range append(append([]*daemon{f.server}, f.placers...), f.workers...) {
		if err := d.start(ctx); err != nil {
			t.Fatal(err)
		}
	}
	f.connect(url)
	return f
}

// serveImage puts the image of all jobs into a registry.
func (f *fleet) serveImage() {
	f.t.Helper()
	image, err := toybox.Image(testenv.Toybox(f.t), toybox.Linux(runtime.GOARCH))
	if err != nil {
		f.t.Fatal(err)
	}
	registry, err := toybox.Serve("127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { registry.Close() })
	if f.image, err = registry.Push(f.t.Context(), "team/toybox:1", image); err != nil {
		f.t.Fatal(err)
	}
}

// ownContainerd starts the containerd that all workers share, and ends it with
// everything in it.
func (f *fleet) ownContainerd(tools string) (address string) {
	f.t.Helper()
	c, err := managed.Start(f.t.Context(), managed.Config{StateDir: f.dir, Tools: tools})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, w := range f.workers {
			if err := f.clear(ctx, c.Address(), w.name); err != nil {
				f.t.Errorf("remove what runs on %s: %v", w.name, err)
			}
		}
		if err := c.Remove(ctx); err != nil {
			f.t.Errorf("end containerd: %v", err)
		}
	})
	return c.Address()
}

// clear removes every container of a node.
func (f *fleet) clear(ctx context.Context, address, node string) error {
	r, err := containerd.New(ctx, containerd.Config{
		Address: address, Namespace: namespacePrefix + node, StateDir: filepath.Join(f.dir, node, "containers"),
		LoggerPath: filepath.Join(testenv.Bin(f.t), "worker"),
		CNIPlugins: []string{filepath.Join(testenv.Tools(f.t), "cni")},
	})
	if err != nil {
		return err
	}
	defer r.Close()
	held, err := r.List(ctx)
	if err != nil {
		return err
	}
	for _, c := range held {
		if err := r.Remove(ctx, c.ID, rt.RemoveOptions{Force: true, Volumes: true}); err != nil {
			return fmt.Errorf("%s: %w", c.ID, err)
		}
	}
	return r.Discard(ctx)
}

// connect is the harness's own connection, which outlives the server's deaths.
func (f *fleet) connect(url string) {
	f.t.Helper()
	var err error
	f.nc, err = nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond), nats.ReconnectBufSize(-1))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(f.nc.Close)
	if f.js, err = jetstream.New(f.nc); err != nil {
		f.t.Fatal(err)
	}
}

// freeAddress is one that nobody listens on: the server must have the same one
// in all its lives.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// eventually looks again until the condition holds, or says what it saw last.
func (f *fleet) eventually(what string, look func() (ok bool, saw string)) bool {
	f.t.Helper()
	began, late := time.Now(), time.After(patience)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for last := ""; ; {
		ok, saw := look()
		if ok {
			f.t.Logf("%s after %v; waited last for: %s", what, time.Since(began).Round(time.Millisecond), last)
			return true
		}
		last = saw
		select {
		case <-again.C:
		case <-late:
			f.t.Errorf("%s did not come true within %v; last: %s", what, patience, saw)
			return false
		}
	}
}

// note adds an event of this instant to the history.
func (f *fleet) note(kind checker.Kind, e checker.Event) {
	e.Kind, e.At = kind, time.Now()
	f.recorder.Add(e)
}
