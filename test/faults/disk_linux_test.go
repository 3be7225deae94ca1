package faults

import (
	"errors"
	"fmt"

	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/internal/worker/journal/boltjournal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

const mebibyte = 1 << 20

// disk is a file system of its own, of a size that can be changed.
type disk struct {
	testing.TB
	dir string
}

func newDisk(t testing.TB, mebibytes int) *disk {
	t.Helper()
	testenv.Root(t)
	d := &disk{TB: t, dir: t.TempDir()}
	if err := unix.Mount("tmpfs", d.dir, "tmpfs", 0, size(mebibytes)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(d.dir, 0); err != nil {
			t.Error(err)
		}
	})
	return d
}

func size(mebibytes int) string { return fmt.Sprintf("size=%dm", mebibytes) }

func (d *disk) resize(mebibytes int) {
	d.Helper()
	if err := unix.Mount("tmpfs", d.dir, "tmpfs", unix.MS_REMOUNT, size(mebibytes)); err != nil {
		d.Fatal(err)
	}
}

// fill writes a file until nothing more fits; the func that it returns makes
// room again.
func (d *disk) fill() (empty func()) {
	d.Helper()
	name := filepath.Join(d.dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		d.Fatal(err)
	}
	defer f.Close()
	for _, piece := range []int{mebibyte, 4096, 1} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, piece))
		}
		if !errors.Is(err, unix.ENOSPC) {
			d.Fatal(err)
		}
	}
	return func() {
		if err := os.Remove(name); err != nil {
			d.Error(err)
		}
	}
}

// TestPullOntoAFullDisk: a pull that does not fit says so, leaves nothing, and
// succeeds when there is room.
func TestPullOntoAFullDisk(t *testing.T) {
	d := newDisk(t, 64)
	l := newLane(t, newMachine(t, d.dir))
	ref := l.pushSized("large", 80*mebibyte)
	_, err := l.rt.Pull(l.ctx, ref, runtime.PullOptions{})
	if !errdefs.IsResourceExhausted(err) || !runtime.Retryable(err) {
		t.Fatalf("a pull that does not fit: %v, want ResourceExhausted, to be tried again", err)
	}
	if !strings.Contains(err.Error(), "the disk is full") || !strings.Contains(err.Error(), ref) {
		t.Errorf("the error does not say that the disk is full, and for which image: %v", err)
	}
	l.settles()
	d.resize(512)
	if _, err := l.rt.Pull(l.ctx, ref, runtime.PullOptions{}); err != nil {
		t.Fatalf("the pull when there is room: %v", err)
	}
	spec := l.spec("true")
	spec.Image = ref
	l.must(l.rt.Create(l.ctx, l.id, spec, runtime.CreateOptions{}))
	l.must(l.rt.Start(l.ctx, l.id))
	if out, err := l.rt.WaitOutcome(l.ctx, l.id, messages.WaitNotRunning); err != nil || out.ExitCode != 0 {
		t.Errorf("a container of it: %+v, %v", out, err)
	}
}

// TestOutputOntoAFullDisk: a container whose log cannot be written goes on, and
// its log says later how much is missing. None is begun meanwhile.
func TestOutputOntoAFullDisk(t *testing.T) {
	d := newDisk(t, 32)
	l := newLaneIn(t, shared.start(t), d.dir)
	l.run(messages.NetworkNone)
	empty := d.fill()
	say := func(text string) { // with a newline after it
		t.Helper()
		// The container's own output, which its first process holds open.
		r, err := l.rt.Exec(l.ctx, l.id, runtime.ExecOptions{Cmd: []string{"write", "/proc/1/fd/1", text}})
		if err != nil || r.ExitCode != 0 {
			t.Fatalf("write to the container's output: %+v, %v", r, err)
		}
	}
	line := strings.Repeat("x", 1023) + "\n"
	for range 16 { // more than the pipe holds
		say(strings.Repeat(line, 16))
	}
	other := runtime.ContainerID{Service: "other"}
	err := l.rt.Create(l.ctx, other, l.spec("true"), runtime.CreateOptions{})
	if !errdefs.IsResourceExhausted(err) || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("a container is made without room for its log: %v, want ResourceExhausted", err)
	}
	empty()
	say("after")
	l.must(l.rt.Stop(l.ctx, l.id, time.Minute))
	text, err := readLog(l.ctx, l, l.rt, false, func() {})
	l.must(err)
	kept, lost := lossesOf(t, text)
	if said := len("ready\n") + 16*(16*len(line)+1) + len("after\nterm\n"); lost == 0 || len(kept)+lost != said {
		t.Errorf("the log has %d bytes and says that %d are missing, want all of the %d that were written", len(kept), lost, said)
	}
	if !strings.HasSuffix(kept, "after\nterm\n") {
		t.Errorf("the log has not what came later; its end is %q", kept[max(0, len(kept)-200):])
	}
	l.undo()
	l.must(l.rt.Create(l.ctx, other, l.spec("true"), runtime.CreateOptions{}))
	l.must(l.rt.Remove(l.ctx, other, runtime.RemoveOptions{}))
	l.settles()
}

// lossesOf splits a log into the output that it has and the bytes that it says
// are missing.
func lossesOf(t *testing.T, text string) (kept string, lost int) {
	t.Helper()
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "[shunt: ") {
			kept += line
			continue
		}
		n := 0
		if _, err := fmt.Sscanf(line, "[shunt: %d bytes of output were lost, the log could not be written]", &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		lost += n
	}
	return kept, lost
}

// TestJournalOnAFullDisk: what cannot be journalled is refused, and what was
// journalled before stays; with room everything goes on.
func TestJournalOnAFullDisk(t *testing.T) {
	d := newDisk(t, 4)
	j, err := boltjournal.Open(d.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	write := func(n int) error {
		job := messages.Job{V: messages.Version, ID: fmt.Sprintf("j%d", n), Op: messages.OpRun, Attempt: 1, Spec: &messages.Spec{
			Image: "x", Env: map[string]string{"LARGE": strings.Repeat("x", 60000)},
		}}
		o := messages.Outcome{V: messages.Version, Job: job.ID, Op: job.Op, Node: "n", Attempt: 1, Seq: 1, Status: messages.StatusAccepted, At: time.Now()}
		return j.Write(journal.Attempt{Job: job, Phase: journal.PhaseAccepted, Accepted: time.Now(), Last: &o})
	}
	if err := write(0); err != nil {
		t.Fatal(err)
	}
	empty := d.fill()
	n := 1
	for err = nil; err == nil && n < 1000; n++ {
		err = write(n)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("write %d to a full disk: %v, want that there is no space", n, err)
	}
	if _, err := j.Attempt("j0", 1); err != nil {
		t.Errorf("what was written before: %v", err)
	}
	empty()
	if err := write(n); err != nil {
		t.Errorf("a write when there is room: %v", err)
	}
	if _, err := j.Attempt(fmt.Sprintf("j%d", n), 1); err != nil {
		t.Errorf("what was written then: %v", err)
	}
}
