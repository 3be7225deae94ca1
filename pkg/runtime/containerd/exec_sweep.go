//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"strings"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
)

// execPrefix begins the ids of the programs that this runtime executes.
const execPrefix = "shunt-"

// sweepExecs ends the programs that were executed in containers by a process
// which is no more: nobody can hear them.
func (r *Runtime) sweepExecs(ctx context.Context) error {
	running, err := r.tasks.List(ctx, &tasks.ListTasksRequest{})
	if err != nil {
		return native(err)
	}
	var errs []error
	for _, task := range running.Tasks {
		held, err := r.tasks.ListPids(ctx, &tasks.ListPidsRequest{ContainerID: task.ID})
		if err != nil {
			errs = append(errs, ignoreNoTask(native(err)))
			continue
		}
		for _, p := range held.Processes {
			info, err := typeurl.UnmarshalAny(p.Info)
			if err != nil {
				continue // it has none, so it was not executed
			}
			if exec := execIDOf(info); strings.HasPrefix(exec, execPrefix) {
				r.log.Info("ending a program that was executed and that nobody hears", "container", task.ID, "exec", exec, "pid", p.Pid)
				errs = append(errs, r.endExec(ctx, task.ID, exec))
			}
		}
	}
	return errors.Join(errs...)
}

func (r *Runtime) endExec(ctx context.Context, container, exec string) error {
	_, err := r.tasks.Kill(ctx, &tasks.KillRequest{ContainerID: container, ExecID: exec, Signal: uint32(sigKill)})
	if err == nil {
		_, err = r.tasks.Wait(ctx, &tasks.WaitRequest{ContainerID: container, ExecID: exec})
	}
	if err == nil || errdefs.IsNotFound(native(err)) {
		_, err = r.tasks.DeleteProcess(ctx, &tasks.DeleteProcessRequest{ContainerID: container, ExecID: exec})
	}
	return ignoreNoTask(native(err))
}
