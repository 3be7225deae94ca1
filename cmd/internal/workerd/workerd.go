package workerd

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/shunt-fleet/shunt/cmd/internal/process"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/internal/version"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/journal/boltjournal"
	"github.com/shunt-fleet/shunt/internal/worker/lease"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/managed"
	"github.com/shunt-fleet/shunt/pkg/seal"
)

// Worker is a running worker and what belongs to it.
type Worker struct {
	URL  string // of the NATS server it uses
	HTTP string // address of /healthz
	Node string

	log      *slog.Logger
	drain    time.Duration // how long Drain waits at most
	bus      *natsbus.Bus
	runtimes *runtimes
	journal  *boltjournal.Journal
	worker   *worker.Worker
	web      func(context.Context) error
}

// Names are what the worker's ready line says.
func (w *Worker) Names() (node, nats, http string) { return w.Node, w.URL, w.HTTP }

// Start starts a worker; ctx bounds the start alone. Close ends it, and leaves
// its containers running.
func Start(ctx context.Context, c Config) (*Worker, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	w := &Worker{URL: c.NATS, Node: c.Node, log: c.Logger, drain: c.DrainTimeout}
	if err := w.start(ctx, &c); err != nil {
		w.Close(ctx)
		return nil, err
	}
	return w, nil
}

func (w *Worker) start(ctx context.Context, c *Config) error {
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		return fmt.Errorf("--state-dir: %w", err)
	}
	root := messages.Root(c.SubjectRoot)
	host, room, err := describeHost()
	if err != nil {
		return err
	}
	if w.journal, err = boltjournal.Open(c.StateDir); err != nil {
		return err
	}
	w.bus, err = natsbus.Connect(ctx, natsbus.Config{
		URL: c.NATS, Name: "shunt-worker " + c.Node, CredsFile: c.Creds, TLSCA: c.TLSCA,
		InboxPrefix: "_INBOX_" + c.Node, Logger: c.Logger,
		// A server that is cut off without a word is given up, and another one
		// found, before the fleet gives this node up.
		PingInterval: c.TTL / 6,
	})
	if err != nil {
		return err
	}
	if w.runtimes, err = newRuntimes(ctx, c); err != nil {
		return err
	}
	guard, err := newGuard(c, w.runtimes.address)
	if err != nil {
		return err
	}
	key, err := seal.KeptIn(filepath.Join(c.StateDir, "xkey"))
	if err != nil {
		return err
	}
	w.worker, err = worker.Start(ctx, worker.Config{
		Node: c.Node, Bus: w.bus, Runtime: w.runtimes.composite, Journal: w.journal, Root: root,
		Labels: c.Labels, Host: host, Total: room, Version: version.Version, Policy: c.allowed, Logger: c.Logger,
		Heartbeat: c.Heartbeat, TTL: c.TTL, Peers: c.Peers, Guard: guard, Unguarded: c.unguarded(), Clock: lease.BootClock{}, Key: key,
	})
	if err != nil {
		return err
	}
	w.HTTP, w.web, err = process.Serve(c.HTTP, w.bus.Connection)
	return err
}

// Drain takes no new work and waits for what runs here: until nothing is left,
// --drain-timeout is over, or ctx ends. Close comes after it.
func (w *Worker) Drain(ctx context.Context) {
	if w.drain == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, w.drain)
	defer cancel()
	w.worker.Leave(ctx)
}

// Failed gives the error for which the worker cannot go on.
func (w *Worker) Failed() <-chan error { return w.worker.Failed() }

// Close ends the worker, then what it stands on.
func (w *Worker) Close(ctx context.Context) {
	if w.web != nil {
		_ = w.web(ctx)
	}
	if w.worker != nil {
		w.worker.Stop(ctx)
	}
	if w.runtimes != nil {
		w.runtimes.Close()
	}
	if w.bus != nil {
		if err := w.bus.Close(ctx); err != nil {
			w.log.Warn("the connection did not close in good order", "error", err)
		}
	}
	if w.journal != nil {
		if err := w.journal.Close(); err != nil {
			w.log.Warn("the journal did not close in good order", "error", err)
		}
	}
}

// Shutdown is Close, and leaves nothing: the containers are removed, and a
// managed containerd is stopped. It is for a fleet that was only tried out.
func (w *Worker) Shutdown(ctx context.Context) {
	if w.worker != nil {
		w.worker.Stop(ctx)
		w.worker = nil
	}
	var managed *managed.Containerd
	if w.runtimes != nil {
		w.removeContainers(ctx)
		if err := w.runtimes.discard(ctx); err != nil {
			w.log.Warn("the containers' network is not taken away", "error", err)
		}
		managed = w.runtimes.containerd
	}
	w.Close(ctx)
	if managed == nil {
		return
	}
	if err := managed.Remove(ctx); err != nil {
		w.log.Warn("the managed containerd did not stop", "error", err)
	}
}

func (w *Worker) removeContainers(ctx context.Context) {
	held, err := w.runtimes.composite.List(ctx)
	if err != nil {
		w.log.Warn("containers are not removed", "error", err)
	}
	for _, c := range held {
		if err := w.runtimes.composite.Remove(ctx, c.ID, runtime.RemoveOptions{Force: true, Volumes: true}); err != nil {
			w.log.Warn("a container was not removed", "container", c.ID.String(), "error", err)
		}
	}
}
