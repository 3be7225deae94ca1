package containerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"

	v1 "github.com/containerd/cgroups/v3/cgroup1/stats"
	v2 "github.com/containerd/cgroups/v3/cgroup2/stats"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/network"
)

// noLimit is where a limit means none: cgroup v1 says so with the largest
// number of whole pages.
const noLimit = math.MaxInt64 - 1<<16

func (r *Runtime) addNetwork(out *runtime.Stats, rec containers.Container, pid uint32) error {
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

// addFigures are what the shim reads of the container's cgroup.
func (r *Runtime) addFigures(_ context.Context, out *runtime.Stats, _ containers.Container, figures any) error {
	switch m := figures.(type) {
	case *v1.Metrics:
		fromV1(out, m)
	case *v2.Metrics:
		fromV2(out, m)
	default:
		return fmt.Errorf("figures of type %T: %w", figures, errdefs.ErrNotImplemented)
	}
	return nil
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

// commandOf is a process's command line, or its name in brackets, as ps writes
// it, where it has none: it is just being started.
func commandOf(p *tasktypes.ProcessInfo) (string, error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.Pid))
	if err != nil {
		return "", err
	}
	if command := strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " ")); command != "" {
		return command, nil
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", p.Pid))
	return "[" + strings.TrimSpace(string(name)) + "]", err
}
