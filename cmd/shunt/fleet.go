package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/cmd/internal/placerd"
	"github.com/shunt-fleet/shunt/cmd/internal/workerd"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// closeWithin bounds how long the orderly end of a fleet may take.
const closeWithin = 30 * time.Second

// fleet is a whole fleet in one process, to try shunt with: a placer with an
// own NATS server, a registry with an image, and workers.
type fleet struct {
	dir      string // of everything the fleet keeps
	program  string // of the images; "": the one beside this program
	real     string // "": containers are real; else why they are not
	log      *slog.Logger
	placer   *placerd.Placer
	registry *toybox.Registry
	workers  []*workerd.Worker
}

// pretending is why real containers cannot be run here, or "".
func pretending() string {
	switch {
	case runtime.GOOS != "linux":
		return "this is " + runtime.GOOS + ", not Linux"
	case os.Geteuid() != 0:
		return "this is not root"
	case workerd.ToolsBeside() == "":
		return "containerd is not beside this program (make tools)"
	}
	return ""
}

// newFleet starts the placer, its NATS server and the registry.
func newFleet(ctx context.Context, dir, listen string, log *slog.Logger) (*fleet, error) {
	f := &fleet{dir: dir, real: pretending(), log: log}
	c := placerd.Defaults()
	c.EmbedNATS, c.StoreDir, c.StoreSize, c.ID, c.Logger = listen, filepath.Join(dir, "nats"), 256<<20, "placer-1", log
	var err error
	f.placer, err = placerd.Start(ctx, c)
	if err == nil {
		f.registry, err = toybox.Serve("127.0.0.1:0")
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// linuxWorker starts a worker that runs Linux containers: real ones if that is
// possible here.
func (f *fleet) linuxWorker(ctx context.Context, node string, labels map[string]string) error {
	c := f.workerConfig(node, labels)
	if f.real == "" {
		c.Runtime, c.Containerd = workerd.RuntimeContainerd, workerd.ContainerdManaged
	} else {
		c.Runtime, c.Platforms = workerd.RuntimeMemory, []string{"linux/" + runtime.GOARCH}
	}
	return f.start(ctx, c)
}

// windowsWorker starts a worker shaped like a Windows node without a delegate.
func (f *fleet) windowsWorker(ctx context.Context, node string) error {
	c := f.workerConfig(node, nil)
	c.Runtime, c.Platforms = workerd.RuntimeMemory, []string{"windows(10.0.20348)/amd64"}
	return f.start(ctx, c)
}

func (f *fleet) workerConfig(node string, labels map[string]string) workerd.Config {
	return workerd.Config{
		NATS: f.placer.URL, Node: node, StateDir: filepath.Join(f.dir, node), Labels: labels,
		Namespace: "shunt", Heartbeat: time.Second, TTL: 5 * time.Second, HTTP: "127.0.0.1:0",
		Peers: 16, SubjectRoot: messages.DefaultRoot, Logger: f.log,
	}
}

func (f *fleet) start(ctx context.Context, c workerd.Config) error {
	w, err := workerd.Start(ctx, c)
	if err != nil {
		return fmt.Errorf("worker %s: %w", c.Node, err)
	}
	f.workers = append(f.workers, w)
	return nil
}

// pushHello puts an image for this machine's Linux into the registry; cmd is
// what it runs.
func (f *fleet) pushHello(ctx context.Context, cmd ...string) (string, error) {
	program := f.program
	if program == "" {
		var err error
		if program, err = toybox.Find(""); err != nil {
			return "", err
		}
	}
	img, err := toybox.Image(program, toybox.Linux(runtime.GOARCH), toybox.WithCmd(cmd...))
	if err != nil {
		return "", err
	}
	return f.registry.Push(ctx, "team/hello:1", img)
}

// close ends the fleet; containers and a managed containerd go on.
func (f *fleet) close() { f.end((*workerd.Worker).Close) }

// shutdown ends the fleet and its containerds.
func (f *fleet) shutdown() { f.end((*workerd.Worker).Shutdown) }

func (f *fleet) end(worker func(*workerd.Worker, context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	for _, w := range slices.Backward(f.workers) {
		worker(w, ctx)
	}
	if f.registry != nil {
		_ = f.registry.Close()
	}
	if f.placer != nil {
		f.placer.Close(ctx)
	}
}

// stateDir is where a dev fleet keeps what it knows, for the next one.
func stateDir() (string, error) {
	base := os.Getenv("XDG_STATE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", errors.New("--state-dir: none is given, and there is no home directory")
		}
		base = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(base, "shunt", "dev"), nil
}
