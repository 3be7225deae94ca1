package containerd_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// A fleet is some nodes, each with a state directory of its own, and the
// registry where a volume's copy is.
type fleet struct {
	*testing.T
	ref     string
	attempt uint64
}

func (f *fleet) node() *bench { return newBench(f.T) }

func newFleet(t *testing.T, options ...toybox.RegistryOption) *fleet {
	t.Helper()
	reg, err := toybox.Serve("127.0.0.1:0", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reg.Close() })
	return &fleet{T: t, ref: reg.Addr() + "/team/data:live"}
}

func (f *fleet) mount() messages.Mount {
	m := volume("data", "/data")
	m.Copy = f.ref
	return m
}

// create makes the next attempt's container of a script.
func (f *fleet) create(b *bench, script string, m messages.Mount) (runtime.ContainerID, error) {
	f.attempt++
	id := b.id()
	return id, b.rt.Create(b.ctx, id, b.script(script, m), runtime.CreateOptions{Owner: runtime.Owner{Job: "web", Attempt: f.attempt}})
}

// runs runs a script to its end, and gives what it has printed.
func (f *fleet) runs(b *bench, script string) (runtime.ContainerID, string) {
	f.Helper()
	id, err := f.create(b, script, f.mount())
	b.must(err)
	b.must(b.rt.Start(b.ctx, id))
	b.wait(id)
	return id, b.output(id, runtime.Stdout)
}

func (f *fleet) syncs(b *bench, id runtime.ContainerID) messages.VolumeBytes {
	f.Helper()
	got, err := b.rt.SyncVolumes(b.ctx, id, runtime.SyncOptions{})
	b.must(err)
	if len(got) != 1 || got[0].Copy != f.ref || got[0].Digest == "" || got[0].Reason != "" {
		f.Fatalf("synced %+v, want one volume, with its copy's digest", got)
	}
	return got[0]
}

func TestVolumeMovesByItsCopy(t *testing.T) {
	f := newFleet(t)
	one, two := f.node(), f.node()
	id, _ := f.runs(one, "write /data/a first; touch /data/.wh.x; stat /data")
	f.syncs(one, id)
	id, got := f.runs(two, "cat /data/a; stat /data/.wh.x; write /data/a second")
	if want := "first\n-rw-r--r-- 0:0 /data/.wh.x\n"; got != want {
		t.Errorf("the other node has %q, want %q", got, want)
	}
	f.syncs(two, id)
	// It comes back: what the first node has is older by now, and was given back.
	if _, got = f.runs(one, "cat /data/a"); got != "second\n" {
		t.Errorf("back on the first node there is %q, want what the second has written", got)
	}
	if aside, _ := os.Stat(filepath.Join(one.cfg.StateDir, "volumes/named/data/aside")); aside != nil {
		t.Error("a volume that was given back was set aside")
	}
}

func TestVolumeItselfMoves(t *testing.T) {
	f := newFleet(t)
	one, two := f.node(), f.node()
	m := f.mount()
	m.Target = "/home/toy"
	id, err := f.create(one, "write /home/toy/a x", m)
	one.must(err)
	one.must(one.rt.Start(one.ctx, id))
	one.wait(id)
	f.syncs(one, id)
	if _, got := f.runs(two, "stat /data"); got != "drwxr-xr-x 1000:1000 /data\n" {
		t.Errorf("the volume is %q, want it to be toy's", got)
	}
}

func TestCopyIsTheSameForTheSameData(t *testing.T) {
	f := newFleet(t)
	b := f.node()
	id, _ := f.runs(b, "touch /data/a")
	first := f.syncs(b, id)
	if again := f.syncs(b, id); again != first {
		t.Errorf("synced again: %+v, want %+v", again, first)
	}
	b.must(os.WriteFile(filepath.Join(b.cfg.StateDir, "volumes/named/data/data/b"), []byte("x\n"), 0o644))
	b.must(b.rt.Start(b.ctx, id))
	b.wait(id)
	if after := f.syncs(b, id); after.Digest == first.Digest {
		t.Error("what was written after a sync is not in the copy")
	}
}

// A node that was cut off comes back with a volume that its successor has gone on
// without: it may not undo that, and what it has is kept.
func TestWhoWasCutOffUndoesNothing(t *testing.T) {
	f := newFleet(t)
	one, two := f.node(), f.node()
	old, _ := f.runs(one, "write /data/a first")
	successor, got := f.runs(two, "write /data/a second")
	if got != "" {
		t.Errorf("the successor has %q", got)
	}
	volumes, err := one.rt.SyncVolumes(one.ctx, old, runtime.SyncOptions{})
	if !errdefs.IsFailedPrecondition(err) || !strings.Contains(err.Error(), "job web, attempt 2") || len(volumes) != 1 || volumes[0].Reason == "" {
		t.Errorf("sync of the one cut off: %+v, %v, want FailedPrecondition that names the holder", volumes, err)
	}
	f.syncs(two, successor)
	if _, got := f.runs(one, "cat /data/a"); got != "second\n" {
		t.Errorf("the first node goes on with %q", got)
	}
	aside, err := os.ReadFile(filepath.Join(one.cfg.StateDir, "volumes/named/data/aside/a"))
	if err != nil || string(aside) != "first\n" {
		t.Errorf("set aside is %q, %v, want what was never given back", aside, err)
	}
}

func TestUnreachableCopyIsNoEmptyVolume(t *testing.T) {
	var down atomic.Bool
	f := newFleet(t, toybox.WithMiddleware(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if down.Load() {
				http.Error(w, "down", http.StatusServiceUnavailable)
				return
			}
			next.ServeHTTP(w, r)
		})
	}))
	one, two := f.node(), f.node()
	id, _ := f.runs(one, "write /data/a first")
	down.Store(true)
	if _, err := f.create(two, "true", f.mount()); !runtime.Retryable(err) || !strings.Contains(err.Error(), f.ref) {
		t.Errorf("create without the registry: %v, want an error that may pass and names the copy", err)
	}
	if found := two.volumeDirs("named/data"); len(found) > 0 {
		t.Errorf("it has made %v", found)
	}
	volumes, err := one.rt.SyncVolumes(one.ctx, id, runtime.SyncOptions{})
	if !runtime.Retryable(err) || len(volumes) != 1 || volumes[0].Bytes != 6 || volumes[0].Reason == "" {
		t.Errorf("sync without the registry: %+v, %v, want the volume, and an error that may pass", volumes, err)
	}
	down.Store(false)
	f.syncs(one, id)
	if _, got := f.runs(two, "cat /data/a"); got != "first\n" {
		t.Errorf("the other node has %q", got)
	}
}

func TestCopyThatIsCutOffIsTriedAgain(t *testing.T) {
	f := newFleet(t)
	one, two := f.node(), f.node()
	id, _ := f.runs(one, "write /data/a first")
	given, cancel := context.WithCancel(one.ctx)
	cancel()
	if _, err := one.rt.SyncVolumes(given, id, runtime.SyncOptions{}); err == nil {
		t.Error("a sync that was given up said nothing")
	}
	one.reopen()
	f.syncs(one, id)
	if _, got := f.runs(two, "cat /data/a"); got != "first\n" {
		t.Errorf("the other node has %q", got)
	}
}

func TestReaderTakesNothingOver(t *testing.T) {
	f := newFleet(t)
	one, two := f.node(), f.node()
	id, _ := f.runs(one, "write /data/a first")
	before := f.syncs(one, id)
	m := f.mount()
	m.ReadOnly = true
	reader, err := f.create(two, "cat /data/a", m)
	two.must(err)
	two.must(two.rt.Start(two.ctx, reader))
	two.wait(reader)
	if got := two.output(reader, runtime.Stdout); got != "first\n" {
		t.Errorf("the reader has %q", got)
	}
	if after := f.syncs(one, id); after != before {
		t.Errorf("the copy was %+v and is %+v", before, after)
	}
}

func TestSyncMakesOneMoreCopy(t *testing.T) {
	f := newFleet(t)
	one, two := f.node(), f.node()
	id := one.start(one.script("write /x/a backup", volume("plain", "/x")))
	one.wait(id)
	got, err := one.rt.SyncVolumes(one.ctx, id, runtime.SyncOptions{Copy: f.ref})
	one.must(err)
	if len(got) != 1 || got[0].Name != "plain" || got[0].Copy != f.ref || got[0].Digest == "" {
		t.Errorf("synced %+v", got)
	}
	if again, err := one.rt.SyncVolumes(one.ctx, id, runtime.SyncOptions{Copy: f.ref}); err != nil || again[0] != got[0] {
		t.Errorf("synced again: %+v, %v, want the same digest as for %+v", again, err, got)
	}
	if _, out := f.runs(two, "cat /data/a"); out != "backup\n" {
		t.Errorf("another node has %q of the copy", out)
	}
	both := one.create(one.script("true", volume("plain", "/x"), volume("other", "/y")))
	if _, err := one.rt.SyncVolumes(one.ctx, both, runtime.SyncOptions{Copy: f.ref}); !errdefs.IsInvalidArgument(err) {
		t.Errorf("one copy of two volumes: %v, want InvalidArgument", err)
	}
}

func TestCopyHasToBeAVolumes(t *testing.T) {
	f := newFleet(t)
	b := f.node()
	for ref, class := range map[string]func(error) bool{
		b.image: errdefs.IsFailedPrecondition,
		b.reg.Addr() + "/x@sha256:" + strings.Repeat("0", 64): errdefs.IsInvalidArgument,
	} {
		f.ref = ref
		if _, err := f.create(b, "true", f.mount()); !class(err) || !strings.Contains(err.Error(), "copy") {
			t.Errorf("a copy at %s: %v", ref, err)
		}
	}
}
