//go:build linux || windows

package containerd

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// List is every container that shunt made.
func (r *Runtime) List(ctx context.Context) ([]runtime.Container, error) {
	recs, err := r.records.List(ctx, fmt.Sprintf("labels.%q", labelService))
	if err != nil {
		return nil, fmt.Errorf("containerd: list containers: %w", native(err))
	}
	running, err := r.tasks.List(ctx, &tasks.ListTasksRequest{})
	if err != nil {
		return nil, fmt.Errorf("containerd: list tasks: %w", native(err))
	}
	byID := map[string]*tasktypes.Process{}
	for _, t := range running.Tasks {
		byID[t.ID] = t
	}
	var out []runtime.Container
	for _, rec := range recs {
		c, err := r.describe(rec, byID[rec.ID])
		if errdefs.IsDataLoss(err) {
			r.log.Warn("a container's record cannot be read", "container", rec.ID, "error", err)
			continue
		}
		out = append(out, c)
	}
	return out, nil
}

// State is where the container stands.
func (r *Runtime) State(ctx context.Context, id runtime.ContainerID) (runtime.State, error) {
	rec, task, err := r.look(ctx, id)
	if err != nil {
		return runtime.State{}, err
	}
	return r.stateOf(rec, task), nil
}

// look reads a container's record and task.
func (r *Runtime) look(ctx context.Context, id runtime.ContainerID) (containers.Container, *tasktypes.Process, error) {
	cid := containerID(id)
	task, err := r.task(ctx, cid) // first: a container that is removed meanwhile is then NotFound
	if err != nil {
		return containers.Container{}, nil, about(id, err)
	}
	rec, err := r.records.Get(ctx, cid)
	return rec, task, about(id, err)
}

// stateOf is what a record and its task, if any, mean.
func (r *Runtime) stateOf(rec containers.Container, task *tasktypes.Process) runtime.State {
	if task == nil && r.starting.has(rec.ID) {
		return runtime.State{Phase: runtime.PhaseInitializing}
	}
	if task == nil {
		return stateWithoutTask(rec.Labels)
	}
	switch task.Status {
	case tasktypes.Status_CREATED:
		return runtime.State{Phase: runtime.PhaseInitializing}
	case tasktypes.Status_STOPPED:
		return runtime.State{Phase: runtime.PhaseExited, ExitCode: int(task.ExitStatus)}
	case tasktypes.Status_UNKNOWN:
		return runtime.State{Phase: runtime.PhaseFailed, Reason: "its shim does not answer"}
	}
	if r.stopping.has(rec.ID) {
		return runtime.State{Phase: runtime.PhaseStopping}
	}
	return runtime.State{Phase: runtime.PhaseRunning}
}

func stateWithoutTask(labels map[string]string) runtime.State {
	switch {
	case labels[labelFailed] != "":
		return runtime.State{Phase: runtime.PhaseFailed, Reason: labels[labelFailed]}
	case !startedAt(labels).IsZero():
		return runtime.State{Phase: runtime.PhaseFailed, Reason: "its shim is gone, with a crash or a reboot, so how it ended is not known"}
	}
	return runtime.State{Phase: runtime.PhasePending}
}

// describe is a container as it is listed.
func (r *Runtime) describe(rec containers.Container, task *tasktypes.Process) (runtime.Container, error) {
	id, owner, ok := identityOf(rec.Labels)
	if !ok {
		return runtime.Container{}, fmt.Errorf("labels of %s: %w", rec.ID, errdefs.ErrDataLoss)
	}
	spec, err := specOf(rec)
	if err != nil {
		return runtime.Container{}, err
	}
	platform, err := messages.ParsePlatform(rec.Labels[labelPlatform])
	if err != nil {
		return runtime.Container{}, fmt.Errorf("labels of %s: %w: %w", rec.ID, errdefs.ErrDataLoss, err)
	}
	c := runtime.Container{
		ID:          id,
		Owner:       owner,
		Name:        rec.Labels[labelName],
		Image:       spec.Image,
		ImageDigest: rec.Labels[labelDigest],
		Platform:    platform,
		State:       r.stateOf(rec, task),
		Labels:      spec.Labels,
		CreatedAt:   rec.CreatedAt,
		StartedAt:   startedAt(rec.Labels),
	}
	if task != nil && task.Status == tasktypes.Status_STOPPED {
		c.FinishedAt = task.ExitedAt.AsTime()
	}
	return c, nil
}

// Inspect is all there is to know of the container.
func (r *Runtime) Inspect(ctx context.Context, id runtime.ContainerID) (runtime.Details, error) {
	rec, task, err := r.look(ctx, id)
	if err != nil {
		return runtime.Details{}, err
	}
	c, err := r.describe(rec, task)
	if err != nil {
		return runtime.Details{}, about(id, err)
	}
	spec, err := specOf(rec)
	if err != nil {
		return runtime.Details{}, about(id, err)
	}
	d := runtime.Details{Container: c, Spec: spec, PID: pidOf(task)}
	if d.PID != 0 {
		e, err := r.networks.Endpoint(rec.ID)
		if err != nil {
			return runtime.Details{}, about(id, err)
		}
		d.IP, d.Ports, d.Networks = e.AddressText(), e.Ports, networksOf(spec, e)
	}
	if c.State.Phase.Ended() {
		d.ExitReason, err = r.exitReason(ctx, rec.ID, c.State, c.FinishedAt)
	}
	return d, about(id, err)
}

func (r *Runtime) exitReason(ctx context.Context, cid string, s runtime.State, at time.Time) (messages.ExitReason, error) {
	if s.Phase == runtime.PhaseFailed {
		return messages.ExitRuntimeError, nil
	}
	out, err := r.judge(ctx, cid, s.ExitCode, at)
	return out.Reason, err
}

func pidOf(task *tasktypes.Process) int {
	if task == nil || task.Status == tasktypes.Status_STOPPED {
		return 0
	}
	return int(task.Pid)
}

// PID is the container's first process on this machine; 0 when none runs.
func (r *Runtime) PID(ctx context.Context, id runtime.ContainerID) (int, error) {
	_, task, err := r.look(ctx, id)
	return pidOf(task), err
}
