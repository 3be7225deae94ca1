package client_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
	"github.com/shunt-fleet/shunt/internal/placer"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/journal/memjournal"
	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

// patience bounds what is waited for; nothing here should take a second.
const patience = time.Minute

var (
	root  = messages.Root(messages.DefaultRoot)
	linux = messages.Platform{OS: messages.Linux, Arch: "amd64"}
)

var images = memory.StaticImages{
	"team/hello:1":  {{Platform: linux, Cmd: []string{"echo", "hello"}}},
	"team/server:1": {{Platform: linux, Cmd: []string{"serve"}}},
}

// fleet is a real one in this process: a NATS server, a placer, and a worker
// whose containers are the memory runtime's.
type fleet struct {
	dir    string
	log    *slog.Logger
	server *natsserver.Server
	placer *placer.Placer
	nodes  map[string]*node
	closes []func()
}

// node is a worker that can be killed and started again over what it held.
type node struct {
	f       *fleet
	name    string
	machine *memory.Machine
	journal *memjournal.Journal
	bus     *natsbus.Bus
	worker  *worker.Worker
}

// newFleet starts a fleet of one node, linux-1.
func newFleet(dir string) (*fleet, error) {
	f := &fleet{dir: dir, log: slog.New(slog.DiscardHandler), nodes: map[string]*node{}}
	if err := f.serve("127.0.0.1:0"); err != nil {
		return nil, err
	}
	b, err := f.connect("placer")
	if err != nil {
		return f, err
	}
	f.closes = append(f.closes, func() { _ = b.Close(ended()) })
	f.placer, err = placer.Start(context.Background(), placer.Config{
		ID: "placer-1", Bus: b, Root: root, Layout: bus.NewLayout(root, 1, 256<<20), Version: "dev", Logger: f.log,
	})
	if err != nil {
		return f, err
	}
	f.closes = append(f.closes, func() { f.placer.Stop(ended()) })
	return f, f.node("linux-1")
}

// serve starts the NATS server.
func (f *fleet) serve(listen string) (err error) {
	f.server, err = natsserver.Start(natsserver.Config{Listen: listen, StoreDir: filepath.Join(f.dir, "nats"), Sync: "1s", Logger: f.log})
	return err
}

func (f *fleet) url() string { return f.server.ClientURL() }

func (f *fleet) connect(name string) (*natsbus.Bus, error) {
	return natsbus.Connect(context.Background(), natsbus.Config{URL: f.url(), Name: name, Logger: f.log})
}

// node puts a Linux node on the bus.
func (f *fleet) node(name string) error {
	machine, err := memory.NewMachine(memory.Config{Platforms: []messages.Platform{linux}, Images: images})
	if err != nil {
		return err
	}
	n := &node{f: f, name: name, machine: machine, journal: memjournal.New()}
	f.nodes[name] = n
	f.closes = append(f.closes, func() { n.kill(); _ = machine.Close() })
	return n.start()
}

func (n *node) start() error {
	composite, err := runtime.NewComposite(runtime.CompositeConfig{
		Primary: runtime.Member{Runtime: memory.New(n.machine)}, Resolver: images, Logger: n.f.log,
	})
	if err != nil {
		return err
	}
	if n.bus, err = n.f.connect(n.name); err != nil {
		return err
	}
	n.worker, err = worker.Start(context.Background(), worker.Config{
		Node: n.name, Bus: n.bus, Runtime: composite, Journal: n.journal, Logger: n.f.log,
		Host: messages.Host{OS: linux.OS, Arch: linux.Arch}, Version: "dev", Heartbeat: 200 * time.Millisecond,
	})
	return err
}

// kill ends the worker without a word; its containers go on.
func (n *node) kill() {
	if n.worker == nil {
		return
	}
	_ = n.bus.Close(ended())
	n.worker.Stop(ended())
	n.worker = nil
}

func (f *fleet) close() {
	for i := len(f.closes) - 1; i >= 0; i-- {
		f.closes[i]()
	}
	_ = f.server.Shutdown(context.Background()) // and nothing is written any more
}

// ended is a context for what is not to take its time.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// started is a fleet for one test, and a client.
func started(t *testing.T) (*fleet, *client.Client) {
	t.Helper()
	f, err := newFleet(t.TempDir())
	if f != nil {
		t.Cleanup(f.close)
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Connect(t.Context(), client.Config{URL: f.url()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return f, c
}
