package containerd

import (
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func emptySpec() *specs.Spec {
	return &specs.Spec{Process: &specs.Process{}, Linux: &specs.Linux{Resources: &specs.LinuxResources{}}}
}

// TestLimitsOnBothCgroups looks at what runc is told: v1 may not account for
// swap, and then a limit of it would fail the start.
func TestLimitsOnBothCgroups(t *testing.T) {
	spec := &messages.Spec{
		Resources: messages.Resources{CPUMilli: 1500, Memory: 64 << 20, PIDs: 50, CPUSet: "0-1"},
		Ulimits:   map[string]messages.Ulimit{"nofile": {Soft: 100, Hard: -1}},
	}
	quota, period, shares, limit, pids := int64(150_000), uint64(100_000), uint64(1536), int64(64<<20), int64(50)
	for name, c := range map[string]struct {
		counts bool
		swap   *int64
	}{"v2, and v1 that accounts for swap": {true, &limit}, "v1 that does not": {false, nil}} {
		s := emptySpec()
		if err := setLimits(s, spec, c.counts); err != nil {
			t.Fatal(err)
		}
		want := &specs.LinuxResources{
			CPU:    &specs.LinuxCPU{Quota: &quota, Period: &period, Shares: &shares, Cpus: "0-1"},
			Memory: &specs.LinuxMemory{Limit: &limit, Swap: c.swap},
			Pids:   &specs.LinuxPids{Limit: &pids},
		}
		if diff := cmp.Diff(want, s.Linux.Resources); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff([]specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 100, Hard: 1<<64 - 1}}, s.Process.Rlimits); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestImpossibleLimitsAreNamed(t *testing.T) {
	for field, res := range map[string]messages.Resources{
		"spec.resources.cpu_milli": {CPUMilli: minCPUMilli - 1}, "spec.resources.memory": {Memory: minMemory - 1},
	} {
		err := setLimits(emptySpec(), &messages.Spec{Resources: res}, true)
		if !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v, want InvalidArgument that names it", field, err)
		}
	}
}
