package containerd_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/cgroups/v3"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// cgroupFile is a file of the container's cgroup, by its name in v1 and in v2.
func (b *bench) cgroupFile(id runtime.ContainerID, controller, v1, v2 string) string {
	b.Helper()
	pid, err := b.rt.PID(b.ctx, id)
	b.must(err)
	f, err := os.Open(fmt.Sprintf("/proc/%d/cgroup", pid))
	b.must(err)
	defer f.Close()
	unified := cgroups.Mode() == cgroups.Unified
	for lines := bufio.NewScanner(f); lines.Scan(); {
		parts := strings.SplitN(lines.Text(), ":", 3)
		file := filepath.Join("/sys/fs/cgroup", controller, parts[2], v1)
		if unified {
			file = filepath.Join("/sys/fs/cgroup", parts[2], v2)
		}
		if unified && parts[0] == "0" || strings.Contains(","+parts[1]+",", ","+controller+",") {
			data, err := os.ReadFile(file)
			b.must(err)
			return strings.TrimSpace(string(data))
		}
	}
	b.Fatalf("%s has no cgroup of %s", id, controller)
	return ""
}

func (b *bench) frozen(id runtime.ContainerID) bool {
	b.Helper()
	text := b.cgroupFile(id, "freezer", "freezer.state", "cgroup.events")
	return text == "FROZEN" || strings.Contains(text, "frozen 1")
}

func TestPausedStandsStill(t *testing.T) {
	b := newBench(t)
	id := b.start(b.spec("handle-term"))
	b.printed(id, "ready")
	b.must(b.rt.Pause(b.ctx, id))
	if !b.frozen(id) {
		t.Error("a paused container's cgroup is not frozen")
	}
	b.reopen()
	b.must(b.rt.Unpause(b.ctx, id))
	if b.frozen(id) {
		t.Error("the cgroup is frozen after an unpause")
	}
	b.must(b.rt.Pause(b.ctx, id))
	b.must(b.rt.Stop(b.ctx, id, -1))
	if got := b.output(id, runtime.Stdout); got != "ready\nterm\n" {
		t.Errorf("output is %q; a paused container is asked to stop like any other", got)
	}
	for name, end := range map[string]func(runtime.ContainerID) error{
		"kill":   func(id runtime.ContainerID) error { return b.rt.Kill(b.ctx, id, "KILL") },
		"stop 0": func(id runtime.ContainerID) error { return b.rt.Stop(b.ctx, id, 0) },
		"remove": func(id runtime.ContainerID) error {
			return b.rt.Remove(b.ctx, id, runtime.RemoveOptions{Force: true})
		},
	} {
		id := b.start(b.spec("sleep", "3600"))
		b.must(b.rt.Pause(b.ctx, id))
		if err := end(id); err != nil {
			t.Errorf("%s of a paused container: %v", name, err)
		}
		if name != "remove" {
			b.wait(id)
		}
	}
}

func TestUpdatedLimitsHold(t *testing.T) {
	b := newBench(t)
	spec := b.spec("sleep", "3600")
	spec.Resources = messages.Resources{Memory: 64 << 20, PIDs: 50, CPUMilli: 500}
	id := b.start(spec)
	limits := func() [3]string {
		return [3]string{
			b.cgroupFile(id, "memory", "memory.limit_in_bytes", "memory.max"),
			b.cgroupFile(id, "pids", "pids.max", "pids.max"),
			strings.Fields(b.cgroupFile(id, "cpu", "cpu.cfs_quota_us", "cpu.max"))[0],
		}
	}
	restart := func() {
		b.must(b.rt.Stop(b.ctx, id, 0))
		b.must(b.rt.Start(b.ctx, id))
	}
	b.must(b.rt.UpdateResources(b.ctx, id, messages.Resources{Memory: 128 << 20, PIDs: 60, CPUMilli: 250}))
	want := [3]string{fmt.Sprint(128 << 20), "60", "25000"}
	if got := limits(); got != want {
		t.Errorf("limits are %v, want %v", got, want)
	}
	if restart(); limits() != want {
		t.Errorf("limits after a start are %v, want %v", limits(), want)
	}
	fresh := b.start(b.spec("sleep", "3600"))
	b.must(b.rt.UpdateResources(b.ctx, id, messages.Resources{}))
	got := limits()
	if id = fresh; got != limits() {
		t.Errorf("without limits they are %v, want those of a container that never had any, %v", got, limits())
	}
	if err := b.rt.UpdateResources(b.ctx, id, messages.Resources{Memory: 1}); runtime.CodeOf(err) != messages.CodeInvalidArgument {
		t.Errorf("a limit of one byte: %v, want InvalidArgument", err)
	}
}
