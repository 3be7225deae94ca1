package remote

import (
	"context"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func (r *Runtime) Create(ctx context.Context, id runtime.ContainerID, spec *messages.Spec, opts runtime.CreateOptions) error {
	return do(ctx, r, "Create", id, spec, opts)
}

func (r *Runtime) Start(ctx context.Context, id runtime.ContainerID) error {
	return do(ctx, r, "Start", id)
}

func (r *Runtime) Stop(ctx context.Context, id runtime.ContainerID, timeout time.Duration) error {
	return do(ctx, r, "Stop", id, timeout)
}

func (r *Runtime) Kill(ctx context.Context, id runtime.ContainerID, signal string) error {
	return do(ctx, r, "Kill", id, signal)
}

func (r *Runtime) Remove(ctx context.Context, id runtime.ContainerID, opts runtime.RemoveOptions) error {
	return do(ctx, r, "Remove", id, opts)
}

func (r *Runtime) Rename(ctx context.Context, id runtime.ContainerID, name string) error {
	return do(ctx, r, "Rename", id, name)
}

func (r *Runtime) Pause(ctx context.Context, id runtime.ContainerID) error {
	return do(ctx, r, "Pause", id)
}

func (r *Runtime) Unpause(ctx context.Context, id runtime.ContainerID) error {
	return do(ctx, r, "Unpause", id)
}

func (r *Runtime) UpdateResources(ctx context.Context, id runtime.ContainerID, res messages.Resources) error {
	return do(ctx, r, "UpdateResources", id, res)
}

func (r *Runtime) PruneContainers(ctx context.Context) (runtime.PruneResult, error) {
	return act[runtime.PruneResult](ctx, r, "PruneContainers")
}

func (r *Runtime) SyncVolumes(ctx context.Context, id runtime.ContainerID, opts runtime.SyncOptions) ([]messages.VolumeBytes, error) {
	return act[[]messages.VolumeBytes](ctx, r, "SyncVolumes", id, opts)
}
