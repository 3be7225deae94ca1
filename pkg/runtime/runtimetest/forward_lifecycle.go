package runtimetest

import (
	"context"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func (f *Faulty) Create(ctx context.Context, id runtime.ContainerID, spec *messages.Spec, opts runtime.CreateOptions) error {
	return f.do(ctx, "Create", id, []any{spec, opts}, func(ctx context.Context) error {
		return f.rt.Create(ctx, id, spec, opts)
	})
}

func (f *Faulty) Start(ctx context.Context, id runtime.ContainerID) error {
	return f.do(ctx, "Start", id, nil, func(ctx context.Context) error {
		return f.rt.Start(ctx, id)
	})
}

func (f *Faulty) Stop(ctx context.Context, id runtime.ContainerID, timeout time.Duration) error {
	return f.do(ctx, "Stop", id, []any{timeout}, func(ctx context.Context) error {
		return f.rt.Stop(ctx, id, timeout)
	})
}

func (f *Faulty) Kill(ctx context.Context, id runtime.ContainerID, signal string) error {
	return f.do(ctx, "Kill", id, []any{signal}, func(ctx context.Context) error {
		return f.rt.Kill(ctx, id, signal)
	})
}

func (f *Faulty) Remove(ctx context.Context, id runtime.ContainerID, opts runtime.RemoveOptions) error {
	return f.do(ctx, "Remove", id, []any{opts}, func(ctx context.Context) error {
		return f.rt.Remove(ctx, id, opts)
	})
}

func (f *Faulty) Rename(ctx context.Context, id runtime.ContainerID, name string) error {
	return f.do(ctx, "Rename", id, []any{name}, func(ctx context.Context) error {
		return f.rt.Rename(ctx, id, name)
	})
}

func (f *Faulty) Pause(ctx context.Context, id runtime.ContainerID) error {
	return f.do(ctx, "Pause", id, nil, func(ctx context.Context) error {
		return f.rt.Pause(ctx, id)
	})
}

func (f *Faulty) Unpause(ctx context.Context, id runtime.ContainerID) error {
	return f.do(ctx, "Unpause", id, nil, func(ctx context.Context) error {
		return f.rt.Unpause(ctx, id)
	})
}

func (f *Faulty) UpdateResources(ctx context.Context, id runtime.ContainerID, res messages.Resources) error {
	return f.do(ctx, "UpdateResources", id, []any{res}, func(ctx context.Context) error {
		return f.rt.UpdateResources(ctx, id, res)
	})
}

func (f *Faulty) PruneContainers(ctx context.Context) (runtime.PruneResult, error) {
	return ask(ctx, f, "PruneContainers", none, nil, func(ctx context.Context) (runtime.PruneResult, error) {
		return f.rt.PruneContainers(ctx)
	})
}

func (f *Faulty) SyncVolumes(ctx context.Context, id runtime.ContainerID, opts runtime.SyncOptions) ([]messages.VolumeBytes, error) {
	return ask(ctx, f, "SyncVolumes", id, []any{opts}, func(ctx context.Context) ([]messages.VolumeBytes, error) {
		return f.rt.SyncVolumes(ctx, id, opts)
	})
}
