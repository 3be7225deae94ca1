package worker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// faultyBus is a bus whose streams can be away.
type faultyBus struct {
	bus.Bus
	mu   sync.Mutex
	away bool
}

func (b *faultyBus) setAway(away bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = away
}

func (b *faultyBus) Append(ctx context.Context, m bus.Message) (uint64, error) {
	b.mu.Lock()
	away := b.away
	b.mu.Unlock()
	if away {
		return 0, bus.ErrUnavailable
	}
	return b.Bus.Append(ctx, m)
}

// faultyRuntime is a runtime that can be away.
type faultyRuntime struct {
	runtime.Runtime
	mu      sync.Mutex
	away    bool
	creates int
	deaf    bool                                             // stops hang
	held    chan struct{}                                    // closed when the next stop may go on; nil: at once
	sick    string                                           // what every health check finds wrong
	exec    *runtime.ExecResult                              // what every exec gives, if set
	hang    chan struct{}                                    // closed when lists no longer hang; nil: they do not
	pulls   func(context.Context, runtime.PullOptions) error // before every pull, if set
	listed  []runtime.ImageInfo                              // what a list of images gives, if set

	syncs    int   // of volumes
	syncFor  int   // how many of them fail
	syncErr  error // with what
	atRemove int   // how many syncs there were at the last remove

	programs atomic.Int64 // that run beside a container's own
}

var errAway = fmt.Errorf("the runtime is away: %w", errdefs.ErrUnavailable)

func (f *faultyRuntime) setAway(away bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = away
}

// hangs makes lists hang until the func it returns is called.
func (f *faultyRuntime) hangs() (goOn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hang = make(chan struct{})
	return func() { close(f.hang) }
}

func (f *faultyRuntime) gone() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.away
}

func (f *faultyRuntime) Inspect(ctx context.Context, id runtime.ContainerID) (runtime.Details, error) {
	if f.gone() {
		return runtime.Details{}, errAway
	}
	return f.Runtime.Inspect(ctx, id)
}

func (f *faultyRuntime) State(ctx context.Context, id runtime.ContainerID) (runtime.State, error) {
	if f.gone() {
		return runtime.State{}, errAway
	}
	return f.Runtime.State(ctx, id)
}

func (f *faultyRuntime) List(ctx context.Context) ([]runtime.Container, error) {
	if f.gone() {
		return nil, errAway
	}
	f.mu.Lock()
	hang := f.hang
	f.mu.Unlock()
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return f.Runtime.List(ctx)
}

func (f *faultyRuntime) Create(ctx context.Context, id runtime.ContainerID, spec *messages.Spec, opts runtime.CreateOptions) error {
	f.mu.Lock()
	f.creates++
	f.mu.Unlock()
	return f.Runtime.Create(ctx, id, spec, opts)
}

func (f *faultyRuntime) Exec(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (runtime.ExecResult, error) {
	if f.gone() {
		return runtime.ExecResult{}, errAway
	}
	if f.exec != nil {
		return *f.exec, nil
	}
	return f.Runtime.Exec(ctx, id, opts)
}

var errDisk = errors.New("the disk is full")
