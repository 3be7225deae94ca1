//go:build linux || windows

package containerd

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Stats are the figures of the container's cgroup, as its shim reads them, and
// those of its network interfaces. On the machine's network there are none: they
// would be the machine's.
func (r *Runtime) Stats(ctx context.Context, id runtime.ContainerID) (runtime.Stats, error) {
	rec, task, err := r.look(ctx, id)
	if err != nil {
		return runtime.Stats{}, err
	}
	if pidOf(task) == 0 {
		return runtime.Stats{}, fmt.Errorf("container %s: it does not run: %w", id, errdefs.ErrFailedPrecondition)
	}
	resp, err := r.tasks.Metrics(ctx, &tasks.MetricsRequest{Filters: []string{"id==" + containerID(id)}})
	if err != nil {
		return runtime.Stats{}, about(id, err)
	}
	if len(resp.Metrics) == 0 {
		return runtime.Stats{}, fmt.Errorf("container %s: it does not run: %w", id, errdefs.ErrFailedPrecondition)
	}
	figures, err := typeurl.UnmarshalAny(resp.Metrics[0].Data)
	if err != nil {
		return runtime.Stats{}, about(id, err)
	}
	out := runtime.Stats{V: messages.Version, At: resp.Metrics[0].Timestamp.AsTime()}
	if err := r.addFigures(ctx, &out, rec, figures); err != nil {
		return runtime.Stats{}, about(id, err)
	}
	return out, about(id, r.addNetwork(&out, rec, task.Pid))
}

// StatsStream is Stats at intervals, until the container ends.
func (r *Runtime) StatsStream(ctx context.Context, id runtime.ContainerID, every time.Duration) iter.Seq2[runtime.Stats, error] {
	return func(yield func(runtime.Stats, error) bool) {
		if every <= 0 {
			yield(runtime.Stats{}, fmt.Errorf("container %s: every: %s is not an interval above zero: %w", id, every, errdefs.ErrInvalidArgument))
			return
		}
		tick := time.NewTicker(every)
		defer tick.Stop()
		for first := true; ; first = false {
			s, err := r.Stats(ctx, id)
			if !first && noTask(err) {
				return // it has ended
			}
			if !yield(s, err) || err != nil {
				return
			}
			select {
			case <-ctx.Done():
				yield(runtime.Stats{}, context.Cause(ctx))
				return
			case <-tick.C:
			}
		}
	}
}

// Top is the container's processes.
func (r *Runtime) Top(ctx context.Context, id runtime.ContainerID) ([]runtime.Process, error) {
	_, task, err := r.look(ctx, id)
	if err != nil {
		return nil, err
	}
	if pidOf(task) == 0 {
		return nil, fmt.Errorf("container %s: it does not run: %w", id, errdefs.ErrFailedPrecondition)
	}
	held, err := r.processes(ctx, containerID(id))
	if err != nil {
		return nil, about(id, err)
	}
	var out []runtime.Process
	for _, p := range held {
		command, err := commandOf(p)
		if err != nil {
			continue // ended meanwhile
		}
		out = append(out, runtime.Process{PID: int(p.Pid), Command: command})
	}
	return out, nil
}

// processes are those of a container's task.
func (r *Runtime) processes(ctx context.Context, cid string) ([]*tasktypes.ProcessInfo, error) {
	resp, err := r.tasks.ListPids(ctx, &tasks.ListPidsRequest{ContainerID: cid})
	if err != nil {
		return nil, native(err)
	}
	return resp.Processes, nil
}
