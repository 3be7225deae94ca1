package containerd_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// TestSyncVolumesFlushesTheFileSystem looks from outside, at the system calls of
// this process: each volume's file system is flushed, with success, before the
// call returns.
func TestSyncVolumesFlushesTheFileSystem(t *testing.T) {
	strace := testenv.Program(t, "strace", "on Debian: apt-get install strace")
	b := newBench(t)
	id := b.start(b.script("write /a/x 1234; write /b/y 1", volume("one", "/a"), volume("two", "/b")))
	b.wait(id)
	traced := traceSyncs(t, strace)
	_, err := b.rt.SyncVolumes(b.ctx, id, runtime.SyncOptions{})
	trace := traced()
	b.must(err)
	for _, name := range []string{"one", "two"} {
		dir := filepath.Join(b.cfg.StateDir, "volumes", "named", name)
		synced := false
		for line := range strings.Lines(trace) {
			synced = synced || strings.Contains(line, "syncfs(") && strings.Contains(line, "<"+dir) && strings.Contains(line, "= 0")
		}
		if !synced {
			t.Errorf("the file system of %s was not flushed; the flushes are:\n%s", dir, trace)
		}
	}
}

// traceSyncs traces this process until the func it returns is called, which
// gives what file systems were flushed meanwhile.
func traceSyncs(t *testing.T, strace string) (trace func() string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace")
	// A signal that comes meanwhile would cut the line of a call in two.
	cmd := exec.Command(strace, "-f", "-y", "-e", "trace=syncfs", "-e", "signal=none", "-o", file, "-p", strconv.Itoa(os.Getpid()))
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	if !lines.Scan() || !strings.Contains(lines.Text(), "attached") {
		t.Fatalf("strace says %q, want that it is attached", lines.Text())
	}
	return func() string {
		t.Helper()
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // until it has let go
		}
		_ = cmd.Wait() // it ends by the signal
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}
