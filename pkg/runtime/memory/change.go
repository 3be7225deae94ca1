package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Rename gives the container a second name, which no other may have.
func (r *Runtime) Rename(ctx context.Context, id runtime.ContainerID, name string) error {
	c, unlock, err := r.on(ctx, "rename", id)
	if err != nil {
		return err
	}
	defer unlock()
	if err := messages.CheckToken("new_name", name); err != nil {
		return fmt.Errorf("rename %s: %w: %w", id, err, errdefs.ErrInvalidArgument)
	}
	for _, other := range r.m.containers {
		if other != c && (other.name == name || other.id.String() == name) {
			return fmt.Errorf("rename %s: the name %q is that of %s: %w", id, name, other.id, errdefs.ErrAlreadyExists)
		}
	}
	c.name = name
	return nil
}

// Pause makes the program stand still, and its time with it.
func (r *Runtime) Pause(ctx context.Context, id runtime.ContainerID) error {
	return r.freeze(ctx, "pause", id, true)
}

// Unpause lets the program go on.
func (r *Runtime) Unpause(ctx context.Context, id runtime.ContainerID) error {
	return r.freeze(ctx, "unpause", id, false)
}

func (r *Runtime) freeze(ctx context.Context, what string, id runtime.ContainerID, frozen bool) error {
	c, unlock, err := r.on(ctx, what, id)
	if err != nil {
		return err
	}
	defer unlock()
	if err := c.running(what); err != nil {
		return err
	}
	if !c.process.freeze(frozen) {
		return fmt.Errorf("%s %s: nothing to do, paused is %v: %w", what, id, frozen, errdefs.ErrFailedPrecondition)
	}
	for exec := range c.execs {
		exec.freeze(frozen)
	}
	return nil
}

// UpdateResources changes the limits in the container's spec. Nothing is
// limited by them.
func (r *Runtime) UpdateResources(ctx context.Context, id runtime.ContainerID, res messages.Resources) error {
	c, unlock, err := r.on(ctx, "update", id)
	if err != nil {
		return err
	}
	defer unlock()
	if err := runtime.CheckResources(res); err != nil {
		return fmt.Errorf("update %s: %w", id, err)
	}
	c.spec.Resources = res
	return nil
}

// PruneContainers removes every container that has ended.
func (r *Runtime) PruneContainers(ctx context.Context) (runtime.PruneResult, error) {
	unlock, err := r.enter(ctx, "prune containers")
	if err != nil {
		return runtime.PruneResult{}, err
	}
	defer unlock()
	var pruned runtime.PruneResult
	for id, c := range r.m.containers {
		if c.state().Phase.Ended() {
			r.m.bury(c)
			pruned.Deleted = append(pruned.Deleted, id.String())
		}
	}
	slices.Sort(pruned.Deleted)
	return pruned, nil
}

// SyncVolumes names the container's volumes, and where a copy of each is wanted.
// They are empty, for no program here writes files, so nothing is copied.
func (r *Runtime) SyncVolumes(ctx context.Context, id runtime.ContainerID, opts runtime.SyncOptions) ([]messages.VolumeBytes, error) {
	c, unlock, err := r.on(ctx, "sync volumes", id)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var volumes []messages.VolumeBytes
	for _, mount := range c.spec.Mounts {
		if mount.Type == messages.MountVolume {
			volumes = append(volumes, messages.VolumeBytes{Name: mount.Source, Copy: cmp.Or(opts.Copy, mount.Copy)})
		}
	}
	if opts.Copy != "" && len(volumes) != 1 {
		return nil, fmt.Errorf("sync volumes of %s: copy: it has %d named volumes, and a copy is of one; give the mounts copies of their own: %w",
			id, len(volumes), errdefs.ErrInvalidArgument)
	}
	return volumes, nil
}
