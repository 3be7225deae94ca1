package remote

import (
	"context"
	"iter"
	"net/netip"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func (r *Runtime) Platforms(ctx context.Context) ([]messages.Platform, error) {
	return ask[[]messages.Platform](ctx, r, "Platforms")
}

// Describe is what the far runtime says of itself.
func (r *Runtime) Describe(ctx context.Context) (runtime.Description, error) {
	return ask[runtime.Description](ctx, r, "Describe")
}

func (r *Runtime) List(ctx context.Context) ([]runtime.Container, error) {
	return ask[[]runtime.Container](ctx, r, "List")
}

func (r *Runtime) State(ctx context.Context, id runtime.ContainerID) (runtime.State, error) {
	return ask[runtime.State](ctx, r, "State", id)
}

func (r *Runtime) Inspect(ctx context.Context, id runtime.ContainerID) (runtime.Details, error) {
	return ask[runtime.Details](ctx, r, "Inspect", id)
}

func (r *Runtime) Stats(ctx context.Context, id runtime.ContainerID) (runtime.Stats, error) {
	return ask[runtime.Stats](ctx, r, "Stats", id)
}

func (r *Runtime) StatsStream(ctx context.Context, id runtime.ContainerID, every time.Duration) iter.Seq2[runtime.Stats, error] {
	return items(ctx, r, "StatsStream", noBytes, id, every)
}

func (r *Runtime) PID(ctx context.Context, id runtime.ContainerID) (int, error) {
	return ask[int](ctx, r, "PID", id)
}

func (r *Runtime) IP(ctx context.Context, id runtime.ContainerID) (netip.Addr, error) {
	return ask[netip.Addr](ctx, r, "IP", id)
}

func (r *Runtime) PortOverride(ctx context.Context, id runtime.ContainerID) (uint16, error) {
	return ask[uint16](ctx, r, "PortOverride", id)
}

func (r *Runtime) PortMappings(ctx context.Context, id runtime.ContainerID) ([]messages.Port, error) {
	return ask[[]messages.Port](ctx, r, "PortMappings", id)
}

func (r *Runtime) NamespaceID(ctx context.Context, id runtime.ContainerID) (string, error) {
	return ask[string](ctx, r, "NamespaceID", id)
}

func (r *Runtime) Top(ctx context.Context, id runtime.ContainerID) ([]runtime.Process, error) {
	return ask[[]runtime.Process](ctx, r, "Top", id)
}

func (r *Runtime) Changes(ctx context.Context, id runtime.ContainerID) ([]runtime.FileChange, error) {
	return ask[[]runtime.FileChange](ctx, r, "Changes", id)
}
