package guard

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/lease"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// guardDir tells a run of the test binary that it is the guard of a directory.
const guardDir = "SHUNT_TEST_GUARD_DIR"

// filed is a runtime whose containers run until they are stopped, which it
// notes in a file.
type filed struct{ dir string }

func (f filed) Inspect(context.Context, runtime.ContainerID) (runtime.Details, error) {
	return runtime.Details{Container: runtime.Container{
		Owner: runtime.Owner{Job: "web", Attempt: 3}, State: runtime.State{Phase: runtime.PhaseRunning},
	}}, nil
}

func (f filed) Stop(_ context.Context, id runtime.ContainerID, _ time.Duration) error {
	return os.WriteFile(filepath.Join(f.dir, "stopped-"+id.String()), nil, 0o600)
}

// TestGuardProcess starts a real guard process, which is this test again.
func TestGuardProcess(t *testing.T) {
	if dir := os.Getenv(guardDir); dir != "" {
		beGuard(t, dir)
		return
	}
	dir := t.TempDir()
	t.Setenv(guardDir, dir)
	g, err := NewProcess(dir, []string{os.Args[0], "-test.run", "^" + t.Name() + "$"})
	if err != nil {
		t.Fatal(err)
	}
	web := lease.Container{Name: "web-rep-0", Job: "web", Attempt: 3, Grace: time.Second}
	other := lease.Container{Name: "other-rep-0", Job: "other", Attempt: 1, Grace: time.Second}
	clock := lease.BootClock{}
	rec := lease.Record{
		Holder:     lease.Holder{Terms: lease.For(time.Hour), Held: true, Seq: 7, Sent: clock.Now()},
		Containers: []lease.Container{web, other},
	}
	if err := g.Watch(rec); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { endGuards(t, dir) })
	first := guards(t, dir)
	if len(first) != 1 || first[0] == os.Getpid() {
		t.Fatalf("guards are awake: %v", first)
	}
	if session, _ := syscall.Getpgid(first[0]); session != first[0] {
		t.Errorf("the guard is in the process group %d", session)
	}
	if last, err := g.Last(); err != nil || last.Seq != 7 || len(last.Containers) != 2 {
		t.Errorf("the record came back as %+v (%v)", last, err)
	}
	if err := g.Watch(rec); err != nil || len(guards(t, dir)) != 1 {
		t.Errorf("watched again, guards are awake: %v (%v)", guards(t, dir), err)
	}
	if g.Stopped("web", 3) {
		t.Error("it was stopped before its time")
	}
	rec.Held = false
	if err := g.Watch(rec); err != nil {
		t.Fatal(err)
	}
	await(t, "the container is stopped", func() bool {
		_, err := os.Stat(filepath.Join(dir, "stopped-web-rep-0"))
		return err == nil
	})
	if !g.Stopped("web", 3) || g.Stopped("web", 2) {
		t.Error("the worker cannot tell that the guard has stopped it")
	}
	if _, err := os.Stat(filepath.Join(dir, "stopped-other-rep-0")); err == nil || g.Stopped("other", 1) {
		t.Error("a container that is another job's by now was stopped")
	}
	// One that is killed is woken again.
	endGuards(t, dir)
	if err := g.Watch(rec); err != nil {
		t.Fatal(err)
	}
	if again := guards(t, dir); len(again) != 1 || again[0] == first[0] {
		t.Errorf("guards are awake: %v, the first was %v", again, first)
	}
}

// beGuard is the guard's process.
func beGuard(t *testing.T, dir string) {
	if err := os.WriteFile(filepath.Join(dir, "pid-"+strconv.Itoa(os.Getpid())), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	rt := func(context.Context) (Runtime, error) { return filed{dir}, nil }
	if err := Serve(t.Context(), dir, rt, slog.Default()); err != nil {
		t.Fatal(err)
	}
}

// guards are the processes of a directory's guards.
func guards(t *testing.T, dir string) (pids []int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "pid-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		pid, _ := strconv.Atoi(strings.TrimPrefix(filepath.Base(f), "pid-"))
		pids = append(pids, pid)
	}
	return pids
}

// endGuards kills them, and waits until the lock is free.
func endGuards(t *testing.T, dir string) {
	t.Helper()
	for _, pid := range guards(t, dir) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		_ = os.Remove(filepath.Join(dir, "pid-"+strconv.Itoa(pid)))
	}
	await(t, "the guard's lock is free", func() bool {
		lock, err := openLock(dir)
		if err == nil {
			lock.Close()
		}
		return err == nil
	})
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for late := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func TestARecordOfAnotherBootCountsForNothing(t *testing.T) {
	before := &Files{Dir: t.TempDir(), Boot: "one"}
	c := lease.Container{Name: "web-rep-0", Job: "web", Attempt: 1}
	if err := before.write(lease.Record{Holder: lease.Holder{Seq: 7}, Containers: []lease.Container{c}}); err != nil {
		t.Fatal(err)
	}
	if err := before.note(c); err != nil || !before.Stopped("web", 1) {
		t.Fatalf("it is not noted: %v", err)
	}
	after := &Files{Dir: before.Dir, Boot: "two"}
	if rec, err := after.Last(); err != nil || rec.Seq != 0 || after.Stopped("web", 1) {
		t.Errorf("after a reboot it reads %+v (%v)", rec, err)
	}
}

func TestADamagedRecordIsAnError(t *testing.T) {
	f := &Files{Dir: t.TempDir(), Boot: messages.DefaultRoot}
	path := filepath.Join(f.Dir, recordFile)
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Last(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("reading it: %v", err)
	}
}
