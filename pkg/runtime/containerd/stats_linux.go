package containerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"os"
	"strings"
	"time"

	v1 "github.com/containerd/cgroups/v3/cgroup1/stats"
	v2 "github.com/containerd/cgroups/v3/cgroup2/stats"
	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/network"
)

// noLimit is where a limit means none: cgroup v1 says so with the largest
// number of whole pages.
const noLimit = math.MaxInt64 - 1<<16

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
	switch m := figures.(type) {
	case *v1.Metrics:
		fromV1(&out, m)
	case *v2.Metrics:
		fromV2(&out, m)
	default:
		return runtime.Stats{}, fmt.Errorf("container %s: figures of type %T: %w", id, figures, errdefs.ErrNotImplemented)
	}
	return out, about(id, addNetwork(&out, rec, task.Pid))
}

func addNetwork(out *runtime.Stats, rec containers.Container, pid uint32) error {
	spec, err := specOf(rec)
	if err != nil || spec.Network == messages.NetworkHost {
		return err
	}
	out.Network.RxBytes, out.Network.TxBytes, err = network.Counters(int(pid))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("it does not run: %w", errdefs.ErrFailedPrecondition)
	}
	return err
}

func fromV1(out *runtime.Stats, m *v1.Metrics) {
	out.CPUUsageUsec = m.GetCPU().GetUsage().GetTotal() / 1000
	usage := m.GetMemory().GetUsage()
	out.MemoryBytes = usage.GetUsage()
	out.MemoryLimit = limit(usage.GetLimit())
	out.PIDs = m.GetPids().GetCurrent()
	for _, e := range m.GetBlkio().GetIoServiceBytesRecursive() {
		switch strings.ToLower(e.GetOp()) {
		case "read":
			out.IO.ReadBytes += e.GetValue()
		case "write":
			out.IO.WriteBytes += e.GetValue()
		}
	}
}

func fromV2(out *runtime.Stats, m *v2.Metrics) {
	out.CPUUsageUsec = m.GetCPU().GetUsageUsec()
	out.MemoryBytes = m.GetMemory().GetUsage()
	out.MemoryLimit = limit(m.GetMemory().GetUsageLimit())
	out.PIDs = m.GetPids().GetCurrent()
	for _, e := range m.GetIo().GetUsage() {
		out.IO.ReadBytes += e.GetRbytes()
		out.IO.WriteBytes += e.GetWbytes()
	}
}

func limit(bytes uint64) uint64 {
	if bytes >= noLimit {
		return 0
	}
	return bytes
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
	resp, err := r.tasks.ListPids(ctx, &tasks.ListPidsRequest{ContainerID: containerID(id)})
	if err != nil {
		return nil, about(id, err)
	}
	var out []runtime.Process
	for _, p := range resp.Processes {
		command, err := commandOf(p.Pid)
		if err != nil {
			continue // ended meanwhile
		}
		out = append(out, runtime.Process{PID: int(p.Pid), Command: command})
	}
	return out, nil
}

// commandOf is a process's command line, or its name in brackets, as ps writes
// it, where it has none: it is just being started.
func commandOf(pid uint32) (string, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return "", err
	}
	if command := strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " ")); command != "" {
		return command, nil
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return "[" + strings.TrimSpace(string(name)) + "]", err
}
