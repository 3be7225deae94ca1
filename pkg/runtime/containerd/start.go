//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Start makes a task of the container and starts it. The time of the start goes
// into the container's record meanwhile, so that a container whose shim is gone
// is told from one that never ran.
func (r *Runtime) Start(ctx context.Context, id runtime.ContainerID) error {
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
	r.starting.enter(cid)
	defer r.starting.leave(cid)
	if err := r.startRecord(ctx, rec); err != nil {
		return fmt.Errorf("container %s: start: %w", id, err)
	}
	return nil
}

// errRunning is the answer to a second start. What runs is left alone.
var errRunning = fmt.Errorf("it runs already: %w", errdefs.ErrFailedPrecondition)

// startRecord makes the task and starts it. As in Create, the calls are not cut
// off by the caller at once, and are made again after a restart of containerd.
func (r *Runtime) startRecord(caller context.Context, rec containers.Container) error {
	if caller.Err() != nil {
		return caller.Err()
	}
	ctx, cancel := cleanup(caller)
	defer cancel()
	err := r.prepareNetwork(ctx, rec)
	if err == nil {
		err = r.connectAndCreate(ctx, rec)
	}
	if err == nil {
		err = caller.Err() // the program does not run yet
	}
	if err == nil {
		err = r.startTask(ctx, rec)
	}
	if err == nil || errors.Is(err, errRunning) {
		return err
	}
	return r.failStart(caller, rec, givenUp(caller, err))
}

// connectAndCreate runs the network's plugins while the shim makes the
// container, which takes about as long; its program does not run yet.
func (r *Runtime) connectAndCreate(ctx context.Context, rec containers.Container) error {
	connected := make(chan error, 1)
	go func() { connected <- r.networks.Connect(ctx, rec.ID) }()
	err := r.createTask(ctx, rec)
	if netErr := <-connected; err == nil {
		err = netErr
	}
	return err
}

func (r *Runtime) startTask(ctx context.Context, rec containers.Container) error {
	noted := make(chan error, 1)
	go func() { noted <- r.insist(ctx, func() error { return r.noteStart(ctx, rec) }) }()
	err := r.runTask(ctx, rec.ID)
	noteErr := <-noted
	if err != nil {
		return programError("spec.args", err)
	}
	if noteErr != nil {
		return fmt.Errorf("note the start: %w", noteErr)
	}
	return nil
}

// createTask makes the task: the shim, the logger and runc's container, whose
// program waits. A task that has ended makes room, and so does one that was made
// and never started, which a worker that was killed here leaves.
func (r *Runtime) createTask(ctx context.Context, rec containers.Container) error {
	req, err := r.taskRequest(ctx, rec)
	if err != nil {
		return err
	}
	unpin, err := r.prepareMounts(ctx, rec)
	if err != nil {
		return err
	}
	defer unpin()
	err = r.newTask(ctx, req)
	if errdefs.IsAlreadyExists(err) {
		if err := r.insist(ctx, func() error { return r.clearTask(ctx, rec.ID) }); err != nil {
			return err
		}
		err = r.newTask(ctx, req)
	}
	if err != nil {
		return programError("spec.args", err)
	}
	return r.outputTaken(rec.ID)
}

// newTask makes a task. That there is one, after a call whose answer was lost, is
// a success.
func (r *Runtime) newTask(ctx context.Context, req *tasks.CreateTaskRequest) error {
	unsure := false // whether the last call has made it
	return r.insist(ctx, func() error {
		if unsure {
			task, err := r.task(ctx, req.ContainerID)
			if err != nil || (task != nil && task.Status == tasktypes.Status_CREATED) {
				return err
			}
		}
		_, err := r.tasks.Create(ctx, req)
		unsure = err != nil
		return err
	})
}

// runTask starts a task that was made. That it runs, or has run, after a call
// whose answer was lost is a success.
func (r *Runtime) runTask(ctx context.Context, cid string) error {
	unsure := false
	err := r.insist(ctx, func() error {
		if unsure {
			task, err := r.task(ctx, cid)
			if err != nil || hasBegun(task) {
				return err
			}
		}
		_, err := r.tasks.Start(ctx, &tasks.StartRequest{ContainerID: cid})
		unsure = err != nil
		return err
	})
	if err == nil {
		return nil
	}
	ctx, cancel := cleanup(ctx) // it may have been the call that took all the time
	defer cancel()
	if task, lookErr := r.task(ctx, cid); lookErr == nil && hasBegun(task) {
		return nil
	}
	return err
}

// hasBegun tells whether a task's program runs, or has.
func hasBegun(task *tasktypes.Process) bool {
	return task != nil && task.Status != tasktypes.Status_CREATED
}

// clearTask deletes the task of the last start. One that runs stays.
func (r *Runtime) clearTask(ctx context.Context, cid string) error {
	task, err := r.task(ctx, cid)
	if err != nil || task == nil {
		return err
	}
	switch task.Status {
	case tasktypes.Status_STOPPED:
		return r.deleteTask(ctx, cid)
	case tasktypes.Status_CREATED:
		return r.killAndDelete(ctx, cid)
	}
	return errRunning
}

func (r *Runtime) taskRequest(ctx context.Context, rec containers.Container) (*tasks.CreateTaskRequest, error) {
	mounts, err := r.snapshots.Mounts(ctx, rec.SnapshotKey)
	if errdefs.IsNotFound(err) {
		return nil, fmt.Errorf("its file system is not there, its making was cut short; remove it: %w", errdefs.ErrFailedPrecondition)
	}
	if err != nil {
		return nil, native(err)
	}
	spec, err := specOf(rec)
	if err != nil {
		return nil, err
	}
	req := &tasks.CreateTaskRequest{ContainerID: rec.ID, Terminal: spec.TTY}
	if err := r.setStreams(req, spec); err != nil {
		return nil, err
	}
	for _, m := range mounts {
		req.Rootfs = append(req.Rootfs, &types.Mount{Type: m.Type, Source: m.Source, Target: m.Target, Options: m.Options})
	}
	return req, nil
}

// noteStart writes the time of the start, and forgets why the last one failed.
func (r *Runtime) noteStart(ctx context.Context, rec containers.Container) error {
	return r.setLabels(ctx, rec.ID, map[string]string{
		labelStarted: time.Now().UTC().Format(time.RFC3339Nano),
		labelFailed:  "",
	})
}

// setLabels changes some labels of a record; an empty one is taken away.
func (r *Runtime) setLabels(ctx context.Context, cid string, labels map[string]string) error {
	var paths []string
	for name := range labels {
		paths = append(paths, "labels."+name)
	}
	_, err := r.records.Update(ctx, containers.Container{ID: cid, Labels: labels}, paths...)
	return native(err)
}

// failStart takes a half-started task away and leaves the reason in the record.
// The time of a start that has surely not been is not left there.
func (r *Runtime) failStart(ctx context.Context, rec containers.Container, cause error) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	labels := map[string]string{labelFailed: messages.TruncateReason(cause.Error())}
	err := r.insist(ctx, func() error {
		task, err := r.task(ctx, rec.ID)
		if err != nil {
			return err
		}
		if !hasBegun(task) {
			labels[labelStarted] = rec.Labels[labelStarted]
		}
		if task == nil {
			return nil
		}
		return r.killAndDelete(ctx, rec.ID)
	})
	err = errors.Join(err, r.networks.Disconnect(ctx, rec.ID))
	noteErr := r.insist(ctx, func() error { return r.setLabels(ctx, rec.ID, labels) })
	if err := errors.Join(err, noteErr); err != nil { // as text: the class is the cause's
		return fmt.Errorf("%w; and what it had made could not be taken back: %s", cause, err.Error())
	}
	return cause
}

// task is the container's task; nil when it has none.
func (r *Runtime) task(ctx context.Context, cid string) (*tasktypes.Process, error) {
	got, err := r.tasks.Get(ctx, &tasks.GetRequest{ContainerID: cid})
	if err = native(err); errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return got.Process, nil
}

// deleteTask takes away a task that has ended. The shim ends its logger first.
func (r *Runtime) deleteTask(ctx context.Context, cid string) error {
	_, err := r.tasks.Delete(ctx, &tasks.DeleteTaskRequest{ContainerID: cid})
	if err = native(err); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	return r.finishLog(ctx, cid)
}
