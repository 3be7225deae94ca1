package containerd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func volume(name, target string) messages.Mount {
	return messages.Mount{Type: messages.MountVolume, Source: name, Target: target}
}

// script is a spec that runs applets with mounts.
func (b *bench) script(script string, mounts ...messages.Mount) *messages.Spec {
	spec := b.spec("sh", "-c", script)
	spec.Mounts = mounts
	return spec
}

// prints runs a script to its end, and takes the container with its anonymous
// volumes away.
func (b *bench) prints(want, script string, mounts ...messages.Mount) {
	b.Helper()
	id := b.start(b.script(script, mounts...))
	out := b.wait(id)
	if got := b.output(id, runtime.Stdout); out.ExitCode != 0 || got != want {
		b.Errorf("%s: output %q, errors %q, outcome %+v, want %q", script, got, b.output(id, runtime.Stderr), out, want)
	}
	b.must(b.rt.Remove(b.ctx, id, runtime.RemoveOptions{Volumes: true}))
}

func (b *bench) volumeDirs(kind string) []string {
	b.Helper()
	found, err := filepath.Glob(filepath.Join(b.cfg.StateDir, "volumes", kind, "*"))
	b.must(err)
	return found
}

func TestNamedVolumeOutlivesItsContainer(t *testing.T) {
	b := newBench(t)
	b.prints("first\n", "write /data/a first; cat /data/a", volume("web-data", "/data"))
	b.reopen()
	b.prints("first\n", "cat /elsewhere/a", volume("web-data", "/elsewhere"))
	b.prints("first\nfirst\n", "cat /x/a; cat /x/y/a", volume("web-data", "/x/y"), volume("web-data", "/x"))
	if left := b.volumeDirs("making"); len(left) > 0 {
		t.Errorf("left in the making: %v", left)
	}
}

func TestVolumeBeginsWithTheImagesDirectory(t *testing.T) {
	b := newBench(t)
	b.prints("drwxr-xr-x 1000:1000 /home/toy\n", "stat /home/toy", volume("home", "/home/toy"))
	b.prints("dtrwxrwxrwx 0:0 /tmp\n", "stat /tmp", volume("scratch", "/tmp"))
	b.prints("root:x:0:\ntoy:x:1000:\nbox:x:2000:toy\nmine\n", "cat /etc/group; write /etc/mine mine; cat /etc/mine", volume("etc", "/etc"))
	// Only once: what the volume has become is not undone.
	b.prints("other\n", "write /etc/group other; cat /etc/group", volume("etc", "/etc"))
	b.prints("other\n", "cat /etc/group", volume("etc", "/etc"))
	b.prints("drwxr-xr-x 0:0 /new\n", "stat /new", volume("new", "/new"))
	b.prints("dtrwxrwxrwx 0:0 /tmp\n", "stat /tmp", messages.Mount{Type: messages.MountAnonymous, Target: "/tmp"})
}

func TestVolumeOverAFileIsRefused(t *testing.T) {
	b := newBench(t)
	for field, m := range map[string]messages.Mount{
		"spec.mounts[0]: target":  volume("v", "/etc/passwd"),
		"spec.mounts[0].target: ": volume("v", "/proc/sys"),
	} {
		err := b.rt.Create(b.ctx, b.id(), b.script("true", m), runtime.CreateOptions{})
		if !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), field) {
			t.Errorf("volume over %s: %v, want InvalidArgument about %s", m.Target, err, field)
		}
	}
	if records, views, logs := b.traces(); records+views+logs+len(b.volumeDirs("*")) != 0 {
		t.Errorf("left: %d records, %d snapshots, %d logs, volumes %v", records, views, logs, b.volumeDirs("*"))
	}
}

func TestAnonymousVolumeBelongsToItsContainer(t *testing.T) {
	b := newBench(t)
	image := b.push("volumes:1", toybox.WithVolumes("/data", "/etc", "/mounted"))
	_, err := b.rt.Pull(b.ctx, image, runtime.PullOptions{})
	b.must(err)
	spec := b.script("touch /data/a /mounted/b; cat /data/log; write /data/log again",
		messages.Mount{Type: messages.MountAnonymous, Target: "/cache"}, volume("kept", "/mounted"))
	spec.Image = image
	id := b.start(spec)
	b.wait(id)
	if found := b.volumeDirs("anonymous/*"); len(found) != 3 {
		t.Fatalf("anonymous volumes are %v, want those of /cache, /data and /etc", found)
	}
	b.reopen()
	b.must(b.rt.Start(b.ctx, id)) // the same volumes
	b.wait(id)
	if got := b.output(id, runtime.Stdout); got != "again\n" {
		t.Errorf("the second start printed %q, want what the first has written", got)
	}
	b.must(b.rt.Remove(b.ctx, id, runtime.RemoveOptions{}))
	if found := b.volumeDirs("anonymous/*"); len(found) != 3 {
		t.Errorf("a remove without volumes left %v", found)
	}
	b.reopen()
	if found := b.volumeDirs("anonymous"); len(found) != 0 {
		t.Errorf("the start of the next worker left %v", found)
	}
	id = b.start(spec)
	b.wait(id)
	if got := b.output(id, runtime.Stdout); got != "" {
		t.Errorf("a new container printed %q, which is another's", got)
	}
	b.must(b.rt.Remove(b.ctx, id, runtime.RemoveOptions{Volumes: true}))
	if found := b.volumeDirs("anonymous"); len(found) != 0 {
		t.Errorf("a remove with volumes left %v", found)
	}
}

func TestPruneCountsVolumes(t *testing.T) {
	b := newBench(t)
	id := b.start(b.script("write /cache/a 123456789", messages.Mount{Type: messages.MountAnonymous, Target: "/cache"}))
	b.wait(id)
	plain := b.start(b.spec("true"))
	b.wait(plain)
	b.must(b.rt.Remove(b.ctx, plain, runtime.RemoveOptions{}))
	pruned, err := b.rt.PruneContainers(b.ctx)
	b.must(err)
	if len(pruned.Deleted) != 1 || pruned.SpaceReclaimed < 10 {
		t.Errorf("pruned %+v, want one container and the volume's 10 bytes at least", pruned)
	}
	if found := b.volumeDirs("anonymous"); len(found) != 0 {
		t.Errorf("prune left %v", found)
	}
}

func TestReadOnlyMounts(t *testing.T) {
	b := newBench(t)
	host := t.TempDir()
	for _, m := range []messages.Mount{
		volume("v", "/m"), {Type: messages.MountAnonymous, Target: "/m"},
		{Type: messages.MountTmpfs, Target: "/m"}, {Type: messages.MountBind, Source: host, Target: "/m"},
	} {
		b.prints("", "touch /m/a", m)
		m.ReadOnly = true
		if _, out := b.run(b.script("touch /m/a", m)); out.ExitCode == 0 {
			t.Errorf("a read-only %s was written to", m.Type)
		}
	}
}

func TestTmpfsHasItsSize(t *testing.T) {
	b := newBench(t)
	b.prints("dtrwxrwxrwx 0:0 /m\n", "stat /m", messages.Mount{Type: messages.MountTmpfs, Target: "/m"})
	id := b.start(b.script("sleep 3600", messages.Mount{Type: messages.MountTmpfs, Target: "/m", Size: 1 << 20}))
	pid, err := b.rt.PID(b.ctx, id)
	b.must(err)
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/mounts", pid))
	b.must(err)
	if !strings.Contains(string(table), "tmpfs /m tmpfs rw,nosuid,nodev,noexec,relatime,size=1024k") {
		t.Errorf("mounts are\n%s", table)
	}
}

func TestSyncVolumesTellsNamesAndBytes(t *testing.T) {
	b := newBench(t)
	id := b.start(b.script("write /a/x 1234; write /b/y 1; write /b/z 12; write /c/no no",
		volume("one", "/a"), volume("two", "/b"), volume("two", "/again"), messages.Mount{Type: messages.MountTmpfs, Target: "/c"}))
	b.wait(id)
	got, err := b.rt.SyncVolumes(b.ctx, id, runtime.SyncOptions{})
	b.must(err)
	want := []messages.VolumeBytes{{Name: "one", Bytes: 5}, {Name: "two", Bytes: 5}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("volumes are %+v, want %+v", got, want)
	}
}
