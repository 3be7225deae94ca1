package runtimetest

import (
	"context"
	"iter"
	"net/netip"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func (f *Faulty) List(ctx context.Context) ([]runtime.Container, error) {
	return ask(ctx, f, "List", none, nil, func(ctx context.Context) ([]runtime.Container, error) {
		return f.rt.List(ctx)
	})
}

func (f *Faulty) State(ctx context.Context, id runtime.ContainerID) (runtime.State, error) {
	return ask(ctx, f, "State", id, nil, func(ctx context.Context) (runtime.State, error) {
		return f.rt.State(ctx, id)
	})
}

func (f *Faulty) Inspect(ctx context.Context, id runtime.ContainerID) (runtime.Details, error) {
	return ask(ctx, f, "Inspect", id, nil, func(ctx context.Context) (runtime.Details, error) {
		return f.rt.Inspect(ctx, id)
	})
}

func (f *Faulty) Stats(ctx context.Context, id runtime.ContainerID) (runtime.Stats, error) {
	return ask(ctx, f, "Stats", id, nil, func(ctx context.Context) (runtime.Stats, error) {
		return f.rt.Stats(ctx, id)
	})
}

func (f *Faulty) StatsStream(ctx context.Context, id runtime.ContainerID, every time.Duration) iter.Seq2[runtime.Stats, error] {
	return stream(ctx, f, "StatsStream", id, []any{every}, func(ctx context.Context) iter.Seq2[runtime.Stats, error] {
		return f.rt.StatsStream(ctx, id, every)
	})
}

func (f *Faulty) PID(ctx context.Context, id runtime.ContainerID) (int, error) {
	return ask(ctx, f, "PID", id, nil, func(ctx context.Context) (int, error) {
		return f.rt.PID(ctx, id)
	})
}

func (f *Faulty) IP(ctx context.Context, id runtime.ContainerID) (netip.Addr, error) {
	return ask(ctx, f, "IP", id, nil, func(ctx context.Context) (netip.Addr, error) {
		return f.rt.IP(ctx, id)
	})
}

func (f *Faulty) PortOverride(ctx context.Context, id runtime.ContainerID) (uint16, error) {
	return ask(ctx, f, "PortOverride", id, nil, func(ctx context.Context) (uint16, error) {
		return f.rt.PortOverride(ctx, id)
	})
}

func (f *Faulty) PortMappings(ctx context.Context, id runtime.ContainerID) ([]messages.Port, error) {
	return ask(ctx, f, "PortMappings", id, nil, func(ctx context.Context) ([]messages.Port, error) {
		return f.rt.PortMappings(ctx, id)
	})
}

func (f *Faulty) NamespaceID(ctx context.Context, id runtime.ContainerID) (string, error) {
	return ask(ctx, f, "NamespaceID", id, nil, func(ctx context.Context) (string, error) {
		return f.rt.NamespaceID(ctx, id)
	})
}

func (f *Faulty) Top(ctx context.Context, id runtime.ContainerID) ([]runtime.Process, error) {
	return ask(ctx, f, "Top", id, nil, func(ctx context.Context) ([]runtime.Process, error) {
		return f.rt.Top(ctx, id)
	})
}

func (f *Faulty) Changes(ctx context.Context, id runtime.ContainerID) ([]runtime.FileChange, error) {
	return ask(ctx, f, "Changes", id, nil, func(ctx context.Context) ([]runtime.FileChange, error) {
		return f.rt.Changes(ctx, id)
	})
}
