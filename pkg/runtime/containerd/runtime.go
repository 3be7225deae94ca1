//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/platforms"
	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/network"
)

// Runtime runs containers on containerd. Make one with New.
type Runtime struct {
	runtime.Unimplemented

	cfg       Config
	log       *slog.Logger
	client    *client.Client
	tasks     tasks.TasksClient
	records   containers.Store
	snapshots snapshots.Snapshotter
	logs      logStore
	networks  *network.Networks
	volumes   volumeStore
	platform  platforms.Platform // what this machine runs

	locks  keyedMutex // by containerd's id: create, start, remove, rename
	pulls  keyedMutex // by reference and platform
	leases keyedMutex // by purpose
	images imageCache
	inUse  sync.RWMutex // held shared while an image becomes a container's

	names sync.Mutex // held while a second name is given

	system // what only this operating system's runtime has

	starting, stopping idSet

	life    context.Context // until Close
	end     context.CancelFunc
	tending sync.WaitGroup
	untend  context.CancelFunc // nil: nobody tends
}

var _ runtime.Runtime = (*Runtime)(nil)

// New connects to containerd. It is Unavailable when nobody answers there
// before ctx ends or ten seconds have passed. It changes nothing that is there,
// so that a guard may look at what a worker runs; see Tend.
func New(ctx context.Context, cfg Config) (*Runtime, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Runtime{
		Unimplemented: runtime.Unimplemented{Kind: "containerd"},
		cfg:           cfg,
		log:           cfg.Logger,
		logs:          newLogStore(cfg),
		volumes:       newVolumeStore(cfg),
		platform:      platforms.DefaultSpec(),
	}
	if err := errors.Join(r.logs.open(), r.volumes.open()); err != nil {
		return nil, err
	}
	if r.networks, err = network.Open(cfg.network()); err != nil {
		return nil, err
	}
	r.client, err = client.New(cfg.Address,
		client.WithDefaultNamespace(cfg.Namespace), client.WithTimeout(3*time.Second),
		client.WithExtraDialOpts(callLimits{cfg.CallTimeout}.dialOptions()))
	if err != nil {
		return nil, fmt.Errorf("containerd at %s: %w", cfg.Address, native(err))
	}
	r.life, r.end = context.WithCancel(context.WithoutCancel(ctx))
	r.tasks = r.client.TaskService()
	r.records = r.client.ContainerService()
	r.snapshots = r.client.SnapshotService(cfg.Snapshotter)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if _, err := r.client.Version(ctx); err != nil {
		r.client.Close()
		return nil, fmt.Errorf("containerd at %s does not answer: %w", cfg.Address, native(err))
	}
	return r, nil
}

// Close lets go of containerd. Containers run on.
func (r *Runtime) Close() error {
	r.end()
	if r.untend != nil {
		r.untend()
	}
	r.tending.Wait()
	return r.client.Close()
}

// Discard takes away what the runtime keeps on the machine outside its state
// directory: the bridge with its rules, and what runc knows. It is for a node
// that is given up, once its containers are gone.
func (r *Runtime) Discard(ctx context.Context) error {
	if err := r.networks.Destroy(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(r.cfg.RunDir); err != nil {
		return fmt.Errorf("containerd: discard: %w", err)
	}
	return nil
}

// Platforms is what this machine runs.
func (r *Runtime) Platforms(ctx context.Context) ([]messages.Platform, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("containerd at %s: %w", r.cfg.Address, err)
	}
	// The connection knows whether containerd is there; only when it is not
	// ready is it asked.
	if conn, ok := r.client.Conn().(*grpc.ClientConn); !ok || conn.GetState() != connectivity.Ready {
		if _, err := r.client.Version(ctx); err != nil {
			return nil, fmt.Errorf("containerd at %s: %w", r.cfg.Address, native(err))
		}
	}
	return []messages.Platform{fromOCI(r.platform)}, nil
}

// Describe asks containerd for its version.
func (r *Runtime) Describe(ctx context.Context) (runtime.Description, error) {
	v, err := r.client.Version(ctx)
	if err != nil {
		return runtime.Description{}, fmt.Errorf("containerd at %s: %w", r.cfg.Address, native(err))
	}
	return runtime.Description{Kind: "containerd", Version: v.Version, Warnings: r.warnings()}, nil
}

// scope puts containerd's namespace into a context, for the parts of its client
// that look there.
func (r *Runtime) scope(ctx context.Context) context.Context {
	return namespaces.WithNamespace(ctx, r.cfg.Namespace)
}
