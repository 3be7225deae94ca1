package containerd

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/containerd/cgroups/v3"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

const (
	cpuPeriod    = 100_000 // microseconds
	minCPUMilli  = 10      // the kernel's least quota is 1 ms of a period
	minMemory    = 6 << 20 // runc's own start needs about this much
	milliPerCore = 1000
	sharesOfCore = 1024
)

// setLimits writes the spec's limits into what runc is told, which is put in the
// terms of cgroup v1; runc translates them for v2. swap is whether the machine
// accounts for swap.
func setLimits(s *specs.Spec, spec *messages.Spec, swap bool) error {
	res := spec.Resources
	if res.CPUMilli != 0 {
		if res.CPUMilli < minCPUMilli {
			return fmt.Errorf("spec.resources.cpu_milli: %d is too little; want at least %d: %w", res.CPUMilli, minCPUMilli, errdefs.ErrInvalidArgument)
		}
		quota, period := res.CPUMilli*cpuPeriod/milliPerCore, uint64(cpuPeriod)
		shares := uint64(max(2, res.CPUMilli*sharesOfCore/milliPerCore))
		cpu(s).Quota, cpu(s).Period, cpu(s).Shares = &quota, &period, &shares
	}
	if res.CPUSet != "" {
		cpu(s).Cpus = res.CPUSet
	}
	if res.Memory != 0 {
		if res.Memory < minMemory {
			return fmt.Errorf("spec.resources.memory: %d bytes are too few; want at least %d: %w", res.Memory, minMemory, errdefs.ErrInvalidArgument)
		}
		s.Linux.Resources.Memory = memory(res.Memory, swap)
	}
	if res.PIDs != 0 {
		limit := res.PIDs
		s.Linux.Resources.Pids = &specs.LinuxPids{Limit: &limit}
	}
	return setUlimits(s.Process, spec.Ulimits)
}

func cpu(s *specs.Spec) *specs.LinuxCPU {
	if s.Linux.Resources.CPU == nil {
		s.Linux.Resources.CPU = &specs.LinuxCPU{}
	}
	return s.Linux.Resources.CPU
}

// memory is a limit of memory and of swap together, where the kernel accounts
// for swap, so that a container cannot go around it.
func memory(limit int64, swap bool) *specs.LinuxMemory {
	m := &specs.LinuxMemory{Limit: &limit}
	if swap {
		m.Swap = &limit
	}
	return m
}

// accountsForSwap is always so in cgroup v2, and in v1 as the kernel was started.
func accountsForSwap() bool {
	if cgroups.Mode() == cgroups.Unified {
		return true
	}
	_, err := os.Stat("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")
	return err == nil
}

func setUlimits(p *specs.Process, limits map[string]messages.Ulimit) error {
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		limit := limits[name]
		kind := "RLIMIT_" + strings.ToUpper(strings.TrimPrefix(strings.ToLower(name), "rlimit_"))
		if !slices.Contains(ulimitKinds, kind) {
			return fmt.Errorf("spec.ulimits.%s is not known; want one such as nofile, nproc or core: %w", name, errdefs.ErrInvalidArgument)
		}
		p.Rlimits = slices.DeleteFunc(p.Rlimits, func(r specs.POSIXRlimit) bool { return r.Type == kind })
		p.Rlimits = append(p.Rlimits, specs.POSIXRlimit{Type: kind, Soft: orUnlimited(limit.Soft), Hard: orUnlimited(limit.Hard)})
	}
	return nil
}

var ulimitKinds = []string{
	"RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_LOCKS", "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE",
	"RLIMIT_NICE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS", "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK",
}

func orUnlimited(v int64) uint64 {
	if v < 0 {
		return math.MaxUint64
	}
	return uint64(v)
}

// setCapabilities adds to and drops from the defaults, which are Docker's.
func setCapabilities(p *specs.Process, spec *messages.Spec) error {
	have := p.Capabilities.Bounding
	all := slices.Sorted(maps.Keys(knownCapabilities()))
	for _, name := range spec.CapDrop {
		c, err := capability("spec.cap_drop", name)
		if err != nil {
			return err
		}
		have = slices.DeleteFunc(slices.Clone(have), func(h string) bool { return c == "ALL" || h == c })
	}
	for _, name := range spec.CapAdd {
		c, err := capability("spec.cap_add", name)
		if err != nil {
			return err
		}
		if c == "ALL" {
			have = all
		} else if !slices.Contains(have, c) {
			have = append(slices.Clone(have), c)
		}
	}
	p.Capabilities.Bounding, p.Capabilities.Permitted, p.Capabilities.Effective = have, have, have
	return nil
}

// capability is a name with CAP_, or ALL.
func capability(field, name string) (string, error) {
	c := strings.ToUpper(name)
	if c == "ALL" {
		return c, nil
	}
	if !strings.HasPrefix(c, "CAP_") {
		c = "CAP_" + c
	}
	if !knownCapabilities()[c] {
		return "", fmt.Errorf("%s: %q is not a capability that this machine knows, such as NET_ADMIN, or ALL: %w", field, name, errdefs.ErrInvalidArgument)
	}
	return c, nil
}
