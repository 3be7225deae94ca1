package containerd

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/containerd/cgroups/v3/cgroup1/stats"
	v2 "github.com/containerd/cgroups/v3/cgroup2/stats"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// A machine has one version of cgroups, so what the other one's figures and files
// come to is shown on some as its kernel and shim give them.

// cgroupFiles writes a group's files below a directory of its own.
func cgroupFiles(t *testing.T, group string, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, group, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// TestFiguresOfCgroupV2: the shim gives a limit that is none, "max" in
// memory.max, as the largest number.
func TestFiguresOfCgroupV2(t *testing.T) {
	m := &v2.Metrics{
		CPU:    &v2.CPUStat{UsageUsec: 1234567, UserUsec: 1000000, SystemUsec: 234567},
		Memory: &v2.MemoryStat{Anon: 4096, File: 8192, Usage: 20480, SwapLimit: math.MaxUint64},
		Pids:   &v2.PidsStat{Current: 3, Limit: 50},
		Io: &v2.IOStat{Usage: []*v2.IOEntry{
			{Major: 8, Rbytes: 4096, Wbytes: 8192, Rios: 1, Wios: 2}, {Major: 259, Minor: 1, Rbytes: 10, Wbytes: 20, Rios: 1, Wios: 1},
		}},
	}
	want := runtime.Stats{CPUUsageUsec: 1234567, MemoryBytes: 20480, PIDs: 3}
	want.IO.ReadBytes, want.IO.WriteBytes = 4106, 8212
	for given, limit := range map[uint64]uint64{64 << 20: 64 << 20, math.MaxUint64: 0} {
		m.Memory.UsageLimit, want.MemoryLimit = given, limit
		var got runtime.Stats
		if fromV2(&got, m); got != want {
			t.Errorf("limit %d: the figures are %+v, want %+v", given, got, want)
		}
	}
	var empty runtime.Stats
	if fromV2(&empty, &v2.Metrics{}); empty != (runtime.Stats{}) {
		t.Errorf("of a group without controllers the figures are %+v", empty)
	}
}

func TestFiguresOfCgroupV1(t *testing.T) {
	m := &v1.Metrics{
		CPU:    &v1.CPUStat{Usage: &v1.CPUUsage{Total: 1234567890}}, // nanoseconds
		Memory: &v1.MemoryStat{Usage: &v1.MemoryEntry{Usage: 20480, Limit: 9223372036854771712}},
		Pids:   &v1.PidsStat{Current: 3},
		Blkio: &v1.BlkIOStat{IoServiceBytesRecursive: []*v1.BlkIOEntry{
			{Op: "Read", Major: 8, Value: 4096}, {Op: "Write", Major: 8, Value: 8192}, {Op: "Sync", Major: 8, Value: 12288},
			{Op: "Total", Major: 8, Value: 12288}, {Op: "Read", Major: 259, Minor: 1, Value: 10}, {Op: "Write", Major: 259, Minor: 1, Value: 20},
		}},
	}
	want := runtime.Stats{CPUUsageUsec: 1234567, MemoryBytes: 20480, PIDs: 3}
	want.IO.ReadBytes, want.IO.WriteBytes = 4106, 8212
	var got runtime.Stats
	if fromV1(&got, m); got != want {
		t.Errorf("the figures are %+v, want %+v", got, want)
	}
}

func TestLackOfMemoryIsReadFromBothCgroups(t *testing.T) {
	for name, c := range map[string]struct {
		unified    bool
		file, text string
		killed     bool
	}{
		"v2":                          {true, "memory.events", "low 0\nhigh 0\nmax 17\noom 1\noom_kill 1\noom_group_kill 0\n", true},
		"v2, at its limit":            {true, "memory.events", "low 0\nhigh 0\nmax 17\noom 1\noom_kill 0\noom_group_kill 0\n", false},
		"v2, only the other's file":   {true, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", false},
		"v1":                          {false, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", true},
		"v1, at its limit":            {false, "memory.oom_control", "oom_kill_disable 0\nunder_oom 1\noom_kill 0\n", false},
		"v1, of a kernel before 4.13": {false, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n", false},
		"the cgroup is there no more": {true, "cgroup.procs", "", false},
		"v1, and it is there no more": {false, "cgroup.procs", "", false},
	} {
		group := "shunt/box"
		if !c.unified {
			group = "memory/shunt/box"
		}
		root := cgroupFiles(t, group, map[string]string{c.file: c.text})
		if killed, err := killedForMemory(root, "/shunt/box", c.unified); err != nil || killed != c.killed {
			t.Errorf("%s: killed for lack of memory: %v, %v, want %v", name, killed, err, c.killed)
		}
	}
}

func TestEveryCPUOfBothCgroups(t *testing.T) {
	root := cgroupFiles(t, "", map[string]string{"cpuset/cpuset.cpus": "0-1\n", "cpuset.cpus.effective": "0-3\n"})
	if v1, v2 := everyCPU(root, false), everyCPU(root, true); v1 != "0-1" || v2 != "0-3" {
		t.Errorf("all processors are %q in v1 and %q in v2, want 0-1 and 0-3", v1, v2)
	}
	if got := everyCPU(t.TempDir(), true); got != "" {
		t.Errorf("without the controller they are %q, want none", got)
	}
}
