//go:build linux || windows

package containerd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/containerd/containerd/api/services/tasks/v1"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Pause freezes the container's cgroup: its programs stand still wherever they
// are, and those that are run in it later as well.
func (r *Runtime) Pause(ctx context.Context, id runtime.ContainerID) error {
	return r.freeze(ctx, id, "it is paused already", tasktypes.Status_RUNNING, func(cid string) error {
		return pauseTask(ctx, func() error {
			_, err := r.tasks.Pause(ctx, &tasks.PauseTaskRequest{ContainerID: cid})
			return err
		})
	})
}

// pauseTask pauses by f, again while the kernel has not frozen all processes soon
// enough for runc, as happens on a busy machine: it has let them go on then.
func pauseTask(ctx context.Context, f func() error) error {
	unfrozen := func(err error) bool { return err != nil && strings.Contains(err.Error(), "unable to freeze") }
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := f()
		if err != nil && !unfrozen(err) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(freezeWithin))
	if unfrozen(err) {
		return fmt.Errorf("%w: %s", errdefs.ErrUnavailable, err.Error()) // without its status, which would count for more
	}
	return err
}

// freezeWithin is how long it is tried again to pause a container.
const freezeWithin = 10 * time.Second

// Unpause lets the container's programs go on.
func (r *Runtime) Unpause(ctx context.Context, id runtime.ContainerID) error {
	return r.freeze(ctx, id, "it is not paused", tasktypes.Status_PAUSED, func(cid string) error {
		return r.resume(ctx, cid)
	})
}

// freeze does f to a container whose task has the status from.
func (r *Runtime) freeze(ctx context.Context, id runtime.ContainerID, other string, from tasktypes.Status, f func(cid string) error) error {
	cid := containerID(id)
	unlock, err := r.locks.lock(ctx, cid)
	if err != nil {
		return about(id, err)
	}
	defer unlock()
	_, task, err := r.look(ctx, id)
	switch {
	case err != nil:
		return err
	case pidOf(task) == 0:
		return fmt.Errorf("container %s: it does not run: %w", id, errdefs.ErrFailedPrecondition)
	case task.Status != from:
		return fmt.Errorf("container %s: %s: %w", id, other, errdefs.ErrFailedPrecondition)
	}
	return about(id, taskError(f(cid)))
}

func (r *Runtime) resume(ctx context.Context, cid string) error {
	_, err := r.tasks.Resume(ctx, &tasks.ResumeTaskRequest{ContainerID: cid})
	return native(err)
}

// thaw lets a paused container go on, so that a signal can reach it. One that
// has ended is as good, and so is one that runc has thawed to kill it, which the
// shim does not see.
func (r *Runtime) thaw(ctx context.Context, cid string) error {
	task, err := r.task(ctx, cid)
	if err != nil || task == nil || task.Status != tasktypes.Status_PAUSED {
		return err
	}
	return ignoreNoTask(taskError(r.resume(ctx, cid)))
}
