package containerd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/containerd/cgroups/v3"
	"github.com/containerd/containerd/v2/core/containers"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const cgroupRoot = "/sys/fs/cgroup"

// oomKilled tells whether the kernel has killed anything in the container's
// cgroup for lack of memory. The cgroup stays until the task is deleted, so
// this is known long after the exit.
func oomKilled(rec containers.Container) (bool, error) {
	var spec specs.Spec
	if err := json.Unmarshal(rec.Spec.GetValue(), &spec); err != nil {
		return false, fmt.Errorf("spec: %w", err)
	}
	if spec.Linux == nil || spec.Linux.CgroupsPath == "" {
		return false, nil
	}
	return killedForMemory(cgroupRoot, spec.Linux.CgroupsPath, cgroups.Mode() == cgroups.Unified)
}

// killedForMemory looks at a cgroup below root. One that is not there says no.
func killedForMemory(root, cgroup string, unified bool) (bool, error) {
	file := filepath.Join(root, "memory", cgroup, "memory.oom_control")
	if unified {
		file = filepath.Join(root, cgroup, "memory.events")
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return countOf(data, "oom_kill") > 0, nil
}

// countOf reads a flat keyed file of the cgroup file system.
func countOf(data []byte, key string) int64 {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		name, value, _ := bytes.Cut(lines.Bytes(), []byte{' '})
		if string(name) == key {
			n, err := strconv.ParseInt(string(value), 10, 64)
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}

// signalOf is the signal that an exit code stands for, because the shim reports
// a killed program so; 0 is none.
func signalOf(code int) int {
	if signal := code - 128; signal >= 1 && signal <= 31 {
		return signal
	}
	return 0
}
