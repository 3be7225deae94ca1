package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Runtime is a handle on a Machine. What it does not do is NotImplemented; see
// the package comment.
type Runtime struct {
	runtime.Unimplemented
	m      *Machine
	closed chan struct{}
	close  func()
}

var _ runtime.Runtime = (*Runtime)(nil)

// New makes a handle on a machine. There may be several at a time.
func New(m *Machine) *Runtime {
	closed := make(chan struct{})
	return &Runtime{
		Unimplemented: runtime.Unimplemented{Kind: "memory"},
		m:             m,
		closed:        closed,
		close:         sync.OnceFunc(func() { close(closed) }),
	}
}

// Close lets go of the machine, as a worker does that ends: calls under way and
// later ones are Unavailable, and the containers live on. It may be called
// again.
func (r *Runtime) Close() error {
	r.close()
	return nil
}

// Platforms is what the machine pretends to run.
func (r *Runtime) Platforms(ctx context.Context) ([]messages.Platform, error) {
	unlock, err := r.enter(ctx, "platforms")
	if err != nil {
		return nil, err
	}
	defer unlock()
	return slices.Clone(r.m.cfg.Platforms), nil
}

// Describe says that this is memory.
func (r *Runtime) Describe(ctx context.Context) (runtime.Description, error) {
	unlock, err := r.enter(ctx, "describe")
	if err != nil {
		return runtime.Description{}, err
	}
	defer unlock()
	return runtime.Description{Kind: r.Kind, Version: r.m.cfg.Version}, nil
}

// enter takes the machine's lock for a call, unless there is nothing to enter
// any more.
func (r *Runtime) enter(ctx context.Context, what string) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	r.m.mu.Lock()
	if err := r.gone(what); err != nil {
		r.m.mu.Unlock()
		return nil, err
	}
	return r.m.mu.Unlock, nil
}

// gone is an error when the handle or the machine is closed.
func (r *Runtime) gone(what string) error {
	select {
	case <-r.closed:
		return fmt.Errorf("%s: the memory runtime is closed: %w", what, errdefs.ErrUnavailable)
	default:
	}
	if r.m.closed {
		return fmt.Errorf("%s: the memory machine is down: %w", what, errdefs.ErrUnavailable)
	}
	return nil
}

// on takes the lock for a call on a container.
func (r *Runtime) on(ctx context.Context, what string, id runtime.ContainerID) (*container, func(), error) {
	unlock, err := r.enter(ctx, what+" "+id.String())
	if err != nil {
		return nil, nil, err
	}
	c, err := r.m.find(id)
	if err != nil {
		unlock()
		return nil, nil, fmt.Errorf("%s: %w", what, err)
	}
	return c, unlock, nil
}

// await waits, under the lock but for the waiting itself, until the condition
// holds. It is false, without an error, when the time is up first.
func (r *Runtime) await(ctx context.Context, what string, turn *broadcast, timer <-chan time.Time, holds func() bool) (bool, error) {
	for !holds() {
		change := turn.next()
		r.m.mu.Unlock()
		var err error
		timeUp := false
		select {
		case <-change:
		case <-timer:
			timeUp = true
		case <-r.closed:
		case <-ctx.Done():
			err = fmt.Errorf("%s: %w", what, ctx.Err())
		}
		r.m.mu.Lock()
		if err == nil && !timeUp && !holds() {
			err = r.gone(what)
		}
		if err != nil || timeUp {
			return holds(), err
		}
	}
	return true, nil
}
