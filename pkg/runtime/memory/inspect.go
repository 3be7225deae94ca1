package memory

import (
	"context"
	"fmt"
	"maps"
	"net/netip"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// List is every container of the machine.
func (r *Runtime) List(ctx context.Context) ([]runtime.Container, error) {
	unlock, err := r.enter(ctx, "list")
	if err != nil {
		return nil, err
	}
	defer unlock()
	all := make([]runtime.Container, 0, len(r.m.containers))
	for _, c := range r.m.containers {
		all = append(all, c.summary())
	}
	return all, nil
}

func (c *container) summary() runtime.Container {
	return runtime.Container{
		ID:          c.id,
		Owner:       c.owner,
		Name:        c.name,
		Image:       c.spec.Image,
		ImageDigest: c.image.Digest,
		Platform:    c.platform,
		State:       c.state(),
		Labels:      maps.Clone(c.spec.Labels),
		CreatedAt:   c.createdAt,
		StartedAt:   c.startedAt,
		FinishedAt:  c.finishedAt,
	}
}

// State is the container's phase.
func (r *Runtime) State(ctx context.Context, id runtime.ContainerID) (runtime.State, error) {
	c, unlock, err := r.on(ctx, "state", id)
	if err != nil {
		return runtime.State{}, err
	}
	defer unlock()
	return c.state(), nil
}

// Inspect is all there is to know. What the spec points to is shared and must
// not be changed.
func (r *Runtime) Inspect(ctx context.Context, id runtime.ContainerID) (runtime.Details, error) {
	c, unlock, err := r.on(ctx, "inspect", id)
	if err != nil {
		return runtime.Details{}, err
	}
	defer unlock()
	spec := c.spec
	details := runtime.Details{Container: c.summary(), Spec: &spec}
	if c.process == nil {
		details.ExitReason = c.last.Reason
	}
	return details, nil
}

// IP is none: containers in memory have no network.
func (r *Runtime) IP(ctx context.Context, id runtime.ContainerID) (netip.Addr, error) {
	_, unlock, err := r.on(ctx, "ip", id)
	if err != nil {
		return netip.Addr{}, err
	}
	defer unlock()
	return netip.Addr{}, nil
}

// PortMappings are none; NotImplemented when the spec asks for some, since
// nothing listens.
func (r *Runtime) PortMappings(ctx context.Context, id runtime.ContainerID) ([]messages.Port, error) {
	c, unlock, err := r.on(ctx, "ports", id)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if n := len(c.spec.Ports); n > 0 {
		return nil, fmt.Errorf("ports of %s: the memory runtime publishes none, and the spec asks for %d: %w", id, n, errdefs.ErrNotImplemented)
	}
	return nil, nil
}

// PortOverride is none, as PortMappings are.
func (r *Runtime) PortOverride(ctx context.Context, id runtime.ContainerID) (uint16, error) {
	_, err := r.PortMappings(ctx, id)
	return 0, err
}

// NamespaceID is "" for every container but a Windows one, whose namespace
// would have an id if there were one.
func (r *Runtime) NamespaceID(ctx context.Context, id runtime.ContainerID) (string, error) {
	c, unlock, err := r.on(ctx, "namespace", id)
	if err != nil {
		return "", err
	}
	defer unlock()
	if c.platform.OS == messages.Windows {
		return "", fmt.Errorf("namespace of %s: the memory runtime makes no networks: %w", id, errdefs.ErrNotImplemented)
	}
	return "", nil
}
