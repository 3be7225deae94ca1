package containerd_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func TestGroupsAreTheProgramsOwn(t *testing.T) {
	b := newBench(t)
	spec := b.spec("id")
	spec.User, spec.Groups = "1234:99", []string{"box", "3000"}
	if got, out := b.run(spec); got != "uid=1234 gid=99 groups=99,2000,3000\n" {
		t.Errorf("the program is %q (%+v), want the groups of the spec, by their names in the image and as numbers", got, out)
	}
	spec.Groups = []string{"box", "wheel"}
	err := b.rt.Create(b.ctx, b.id(), spec, runtime.CreateOptions{})
	if !errdefs.IsInvalidArgument(err) {
		t.Errorf("a group that the image does not know: %v, want InvalidArgument", err)
	}
	for _, says := range []string{"spec.groups", "group wheel", "want names that the image knows, or numbers"} {
		if !strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("the error does not say %s: %v", says, err)
		}
	}
}

func TestUlimitsAreSeenByTheProgram(t *testing.T) {
	b := newBench(t)
	spec := b.spec("cat", "/proc/self/limits")
	spec.Ulimits = map[string]messages.Ulimit{
		"nofile": {Soft: 200, Hard: 200}, "msgqueue": {Soft: 1000, Hard: 2000}, "core": {}, "stack": {Soft: 1 << 20, Hard: -1},
	}
	got, out := b.run(spec)
	limits := map[string]string{}
	for line := range strings.Lines(got) {
		if name := strings.TrimSpace(line[:min(len(line), 26)]); len(line) > 26 {
			limits[name] = strings.Join(strings.Fields(line[26:])[:2], " ")
		}
	}
	for name, want := range map[string]string{"Max open files": "200 200", "Max msgqueue size": "1000 2000", "Max core file size": "0 0", "Max stack size": "1048576 unlimited"} {
		if limits[name] != want {
			t.Errorf("%s is %q, want %q; it prints\n%s(%+v)", name, limits[name], want, got, out)
		}
	}
}

func TestCPUSetIsTheCgroups(t *testing.T) {
	b := newBench(t)
	spec := b.spec("sleep", "3600")
	spec.Resources.CPUSet = "0"
	id := b.start(spec)
	if got := b.cgroupFile(id, "cpuset", "cpuset.cpus", "cpuset.cpus"); got != "0" {
		t.Errorf("the cgroup's processors are %q, want 0", got)
	}
	if got := b.statusOf("Cpus_allowed_list", func(s *messages.Spec) { s.Resources.CPUSet = "0" }); got != "0" {
		t.Errorf("the program may use the processors %q, want 0", got)
	}
	b.must(b.rt.UpdateResources(b.ctx, id, messages.Resources{}))
	all := b.cgroupFile(b.start(b.spec("sleep", "3600")), "cpuset", "cpuset.cpus", "cpuset.cpus.effective")
	if got := b.cgroupFile(id, "cpuset", "cpuset.cpus", "cpuset.cpus.effective"); got != all {
		t.Errorf("without a set the processors are %q, want %q", got, all)
	}
}

func TestTheImagesStopSignal(t *testing.T) {
	b := newBench(t)
	image := b.push("hangs-up:1", toybox.WithStopSignal("SIGHUP"))
	_, err := b.rt.Pull(b.ctx, image, runtime.PullOptions{})
	b.must(err)
	for own, code := range map[string]int{"": 128 + 1, "INT": 128 + 2} {
		spec := b.spec("sh", "-c", "echo up; sleep 3600")
		spec.Image, spec.StopSignal = image, own
		id := b.start(spec)
		b.printed(id, "up")
		b.must(b.rt.Stop(b.ctx, id, -1))
		if out := b.wait(id); out.ExitCode != code {
			t.Errorf("stop signal %q over the image's HUP: it ended with %+v, want %d", own, out, code)
		}
	}
}
