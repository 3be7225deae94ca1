//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"fmt"

	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Remove takes the container away: its task, its network, its file system, its
// anonymous volumes if that is wanted, then its log, which is kept aside for a
// while, and its record last, so that whatever fails can be tried again.
// Anonymous volumes that stay are there until the next start; named ones stay.
func (r *Runtime) Remove(ctx context.Context, id runtime.ContainerID, opts runtime.RemoveOptions) error {
	cid := containerID(id)
	unlock, err := r.locks.lock(ctx, cid)
	if err != nil {
		return about(id, err)
	}
	defer unlock()
	rec, err := r.records.Get(ctx, cid)
	if err != nil {
		return about(id, err)
	}
	if err := r.removeTask(ctx, cid, opts.Force); err != nil {
		return about(id, err)
	}
	if err := r.networks.Forget(ctx, cid); err != nil {
		return about(id, err)
	}
	if err := r.insist(ctx, func() error {
		return ignoreNotFound(r.client.SnapshotService(rec.Snapshotter).Remove(ctx, rec.SnapshotKey))
	}); err != nil {
		return about(id, fmt.Errorf("file system: %w", err))
	}
	if opts.Volumes {
		if err := r.removeAnonymous(cid); err != nil {
			return about(id, err)
		}
	}
	if err := r.logs.retire(cid); err != nil {
		return about(id, err)
	}
	ending, cancel := cleanup(ctx)
	defer cancel()
	err = r.insist(ending, func() error { return ignoreNotFound(r.records.Delete(ending, cid)) })
	return about(id, givenUp(ctx, err))
}

// removeTask deletes the task. One that was made and not started is what a
// crash leaves, and does not count as running. The state is looked up only when
// the shim refuses, since its refusals have no class.
func (r *Runtime) removeTask(ctx context.Context, cid string, force bool) error {
	err := r.deleteTask(ctx, cid)
	if err == nil {
		return nil
	}
	task, terr := r.task(ctx, cid)
	switch {
	case terr != nil:
		return errors.Join(err, terr)
	case task == nil:
		return r.finishLog(ctx, cid)
	case task.Status == tasktypes.Status_STOPPED:
		return r.deleteTask(ctx, cid) // it may have ended since
	case !force && task.Status != tasktypes.Status_CREATED:
		return fmt.Errorf("it runs; stop it first, or remove it with force: %w", errdefs.ErrFailedPrecondition)
	}
	return r.killAndDelete(ctx, cid)
}

// Rename gives the container a second name, which no other container has as its
// first or second.
func (r *Runtime) Rename(ctx context.Context, id runtime.ContainerID, name string) error {
	if !messages.ValidToken(name) {
		return fmt.Errorf("container %s: new_name: %q is not a name of 1 to %d letters, digits, - and _: %w", id, name, messages.MaxTokenLength, errdefs.ErrInvalidArgument)
	}
	cid := containerID(id)
	unlock, err := r.locks.lock(ctx, cid)
	if err != nil {
		return about(id, err)
	}
	defer unlock()
	r.names.Lock()
	defer r.names.Unlock()
	if err := r.nameIsFree(ctx, cid, name); err != nil {
		return about(id, err)
	}
	return about(id, r.setLabels(ctx, cid, map[string]string{labelName: name}))
}

func (r *Runtime) nameIsFree(ctx context.Context, cid, name string) error {
	filters := []string{fmt.Sprintf("labels.%q==%q", labelName, name)}
	if other, ok := runtime.ParseContainerID(name); ok {
		filters = append(filters, "id=="+containerID(other))
	}
	users, err := r.records.List(ctx, filters...)
	if err != nil {
		return err
	}
	for _, user := range users {
		if user.ID != cid {
			return fmt.Errorf("new_name: %q is the name of %s: %w", name, user.ID, errdefs.ErrAlreadyExists)
		}
	}
	return nil
}

// PruneContainers removes every container that has ended, with its anonymous
// volumes. One that cannot be
// removed does not keep the others.
func (r *Runtime) PruneContainers(ctx context.Context) (runtime.PruneResult, error) {
	list, err := r.List(ctx)
	if err != nil {
		return runtime.PruneResult{}, err
	}
	var out runtime.PruneResult
	var errs []error
	for _, c := range list {
		if !c.State.Phase.Ended() {
			continue
		}
		cid := containerID(c.ID)
		size := r.sizeOfContainer(ctx, cid)
		switch err := r.Remove(ctx, c.ID, runtime.RemoveOptions{Volumes: true}); {
		case err == nil:
			out.Deleted = append(out.Deleted, c.ID.String())
			out.SpaceReclaimed += size
		case errdefs.IsNotFound(err) || errdefs.IsFailedPrecondition(err): // gone, or started again
		default:
			errs = append(errs, err)
		}
	}
	return out, errors.Join(errs...)
}

// sizeOfContainer is what goes with a container, in bytes, as far as it can be
// told: what it has written to its file system and to its anonymous volumes.
func (r *Runtime) sizeOfContainer(ctx context.Context, cid string) (size int64) {
	if usage, err := r.snapshots.Usage(ctx, cid); err == nil {
		size += usage.Size
	}
	if volumes, err := sizeOf(ctx, r.volumes.anonymousOf(cid)); err == nil {
		size += volumes
	}
	return size
}
