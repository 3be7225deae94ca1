package containerd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func bind(source, target string) messages.Mount {
	return messages.Mount{Type: messages.MountBind, Source: source, Target: target}
}

func TestBindMountsWhatIsThere(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "note")
	b.must(os.WriteFile(file, []byte("from the host\n"), 0o644))
	b.prints("from the host\n", "cat /m/note", bind(dir, "/m"))
	b.prints("from the host\n", "cat /etc/note; write /etc/note from the container", bind(file, "/etc/note"))
	if data, _ := os.ReadFile(file); string(data) != "from the container\n" {
		t.Errorf("the host's file is %q", data)
	}
	err := b.rt.Create(b.ctx, b.id(), b.script("true", bind(dir+"/nothing", "/m")), runtime.CreateOptions{})
	if !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), "spec.mounts[0].source") {
		t.Errorf("a source that is not there: %v, want InvalidArgument that names it", err)
	}
}

// A link that a container has made in a directory of the host's leads no other
// container out of it: not when it was there at create, nor when it came after.
func TestBindFollowsNoLink(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	secret, shared := filepath.Join(dir, "secret"), filepath.Join(dir, "shared")
	inside := filepath.Join(shared, "inside")
	b.must(os.Mkdir(secret, 0o755))
	b.must(os.MkdirAll(inside, 0o755))
	spec := b.script("stat /m", bind(inside, "/m"))
	id := b.create(spec)
	b.must(os.Remove(inside))
	b.must(os.Symlink("../secret", inside))
	for what, err := range map[string]error{
		"create": b.rt.Create(b.ctx, b.id(), spec, runtime.CreateOptions{}),
		"start":  b.rt.Start(b.ctx, id),
		"below":  b.rt.Create(b.ctx, b.id(), b.script("true", bind(inside+"/deeper", "/m")), runtime.CreateOptions{}),
	} {
		if !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), inside) {
			t.Errorf("%s through a link: %v, want InvalidArgument that names the link", what, err)
		}
	}
}

// A worker that was killed while it started a container leaves a mount; the next
// one takes that away, and not what is in it.
func TestMountsOfAStartAreTakenAway(t *testing.T) {
	b := newBench(t)
	host := t.TempDir()
	note := filepath.Join(host, "note")
	b.must(os.WriteFile(note, []byte("keep\n"), 0o644))
	b.prints("keep\n", "cat /m/note", bind(host, "/m"))
	binds := filepath.Join(b.cfg.StateDir, "binds")
	left := filepath.Join(binds, "some-container.0")
	b.must(os.Mkdir(left, 0o700))
	b.must(unix.Mount(host, left, "", unix.MS_BIND, ""))
	b.reopen()
	if found, _ := os.ReadDir(binds); len(found) != 0 {
		t.Errorf("left: %v", found)
	}
	if data, _ := os.ReadFile(note); string(data) != "keep\n" {
		t.Errorf("the host's file is %q", data)
	}
}
