package containerd

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/cgroups/v3"
	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// UpdateResources changes the limits of the container's cgroup, if it has one
// now, and those in its record, which the next start takes. A field that is
// left out is a limit that goes.
func (r *Runtime) UpdateResources(ctx context.Context, id runtime.ContainerID, res messages.Resources) error {
	cid := containerID(id)
	unlock, err := r.locks.lock(ctx, cid)
	if err != nil {
		return about(id, err)
	}
	defer unlock()
	rec, task, err := r.look(ctx, id)
	if err != nil {
		return err
	}
	changed, limits, err := updated(rec, res)
	if err != nil {
		return about(id, err)
	}
	if pidOf(task) != 0 {
		if err := r.updateTask(ctx, cid, limits); err != nil {
			return about(id, err)
		}
	}
	_, err = r.records.Update(ctx, changed, "spec", "extensions."+specExtension)
	return about(id, err)
}

// updated is the record with other limits, and these as a running container is
// told.
func updated(rec containers.Container, res messages.Resources) (containers.Container, *specs.LinuxResources, error) {
	spec, err := specOf(rec)
	if err != nil {
		return rec, nil, err
	}
	if res.GPU != spec.Resources.GPU {
		return rec, nil, fmt.Errorf("resources.gpu: %d cannot be changed to %d while the container exists; make it anew: %w", spec.Resources.GPU, res.GPU, errdefs.ErrInvalidArgument)
	}
	var oci specs.Spec
	if err := json.Unmarshal(rec.Spec.GetValue(), &oci); err != nil {
		return rec, nil, fmt.Errorf("the spec in its record: %w: %w", errdefs.ErrDataLoss, err)
	}
	spec.Resources = res
	devices := oci.Linux.Resources.Devices
	oci.Linux.Resources = &specs.LinuxResources{Devices: devices}
	if err := setLimits(&oci, &messages.Spec{Resources: res}, accountsForSwap()); err != nil {
		return rec, nil, err
	}
	kept, err := storeSpec(spec)
	if err != nil {
		return rec, nil, err
	}
	rec.Extensions = map[string]typeurl.Any{specExtension: kept}
	rec.Spec, err = typeurl.MarshalAny(&oci)
	return rec, toCgroup(*oci.Linux.Resources), err
}

// toCgroup are limits as a cgroup that has some already has to be told: what is
// left out would stay as it is.
func toCgroup(limits specs.LinuxResources) *specs.LinuxResources {
	none := int64(-1)
	limits.Devices = nil
	if limits.Memory == nil {
		limits.Memory = &specs.LinuxMemory{Limit: &none}
		if accountsForSwap() {
			limits.Memory.Swap = &none
		}
	}
	if limits.Pids == nil {
		limits.Pids = &specs.LinuxPids{Limit: &none}
	}
	cpu := specs.LinuxCPU{}
	if limits.CPU != nil {
		cpu = *limits.CPU
	}
	if cpu.Quota == nil {
		period, shares := uint64(cpuPeriod), uint64(sharesOfCore)
		cpu.Quota, cpu.Period, cpu.Shares = &none, &period, &shares
	}
	if cpu.Cpus == "" {
		cpu.Cpus = everyCPU(cgroupRoot, cgroups.Mode() == cgroups.Unified)
	}
	limits.CPU = &cpu
	return &limits
}

// everyCPU is the set of all processors, or "" where the kernel has no such
// limit.
func everyCPU(root string, unified bool) string {
	file := filepath.Join(root, "cpuset", "cpuset.cpus")
	if unified {
		file = filepath.Join(root, "cpuset.cpus.effective")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func (r *Runtime) updateTask(ctx context.Context, cid string, limits *specs.LinuxResources) error {
	value, err := typeurl.MarshalAnyToProto(limits)
	if err != nil {
		return fmt.Errorf("resources: %w", err)
	}
	_, err = r.tasks.Update(ctx, &tasks.UpdateTaskRequest{ContainerID: cid, Resources: value})
	if err = native(err); err != nil && strings.Contains(err.Error(), "memory") {
		return fmt.Errorf("resources.memory: the container holds more than that now: %w: %w", errdefs.ErrFailedPrecondition, err)
	}
	return ignoreNoTask(taskError(err)) // it may have ended meanwhile
}
