package containerd_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/logger"
)

// TestGigabyteOfOutput: the log keeps the end of it, all of that, in files of
// bounded size, and its logger stays small.
func TestGigabyteOfOutput(t *testing.T) {
	const lines, width = 1 << 20, 1 << 10
	b := newBench(t)
	began := time.Now()
	id := b.start(b.spec("flood", fmt.Sprint(lines), fmt.Sprint(width)))
	if out := b.wait(id); out.ExitCode != 0 {
		t.Fatalf("outcome is %+v", out)
	}
	t.Logf("%d bytes of output in %s", lines*width, time.Since(began))
	dirs, err := filepath.Glob(filepath.Join(b.cfg.StateDir, "logs", "live", "*"))
	if err != nil || len(dirs) != 1 {
		t.Fatalf("logs: %v, %v; want one", dirs, err)
	}
	if most := peakMemory(t, dirs[0]); most > 48<<20 {
		t.Errorf("the logger took %d bytes of memory", most)
	}
	next := 0
	for e, err := range b.rt.Logs(b.ctx, id, runtime.LogOptions{Tail: -1}) {
		b.must(err)
		var n int
		if _, err := fmt.Sscanf(string(e.Message), "line %d.", &n); err != nil || len(e.Message) != width || !bytes.HasSuffix(e.Message, []byte(".\n")) {
			t.Fatalf("%q is no line of it: %v", e.Message, err)
		}
		if next != 0 && n != next {
			t.Fatalf("line %d follows %d", n, next-1)
		}
		next = n + 1
	}
	if next != lines+1 {
		t.Errorf("the last line is %d, want %d", next-1, lines)
	}
	if size := sizeOf(t, dirs[0]); size < logger.DefaultMaxBytes || size > 2*logger.DefaultMaxBytes+4096 {
		t.Errorf("the log takes %d bytes, want between one and two files of %d", size, logger.DefaultMaxBytes)
	}
}

// peakMemory is the most that a log's logger has held, in bytes. It lives until
// the log is read.
func peakMemory(t *testing.T, dir string) int64 {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kibibytes int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kibibytes); n == 1 {
			return kibibytes << 10
		}
	}
	t.Fatalf("no peak in %s", status)
	return 0
}

func sizeOf(t *testing.T, dir string) (total int64) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	return total
}

// TestForkUntilTheLimit: the limit holds, the program is told, and there is room
// for others.
func TestForkUntilTheLimit(t *testing.T) {
	const limit = 20
	b := newBench(t)
	spec := b.spec("forks", "1000")
	spec.Resources.PIDs = limit
	id := b.start(spec)
	if out := b.wait(id); out.ExitCode != 1 || out.Reason != messages.ExitExited {
		t.Errorf("outcome is %+v, want 1, exited", out)
	}
	var started int
	said := b.output(id, runtime.Stderr)
	if n, err := fmt.Sscanf(said, "toybox: forks: %d of 1000 started:", &started); n != 1 || started >= limit || !strings.Contains(said, "resource temporarily unavailable") {
		t.Errorf("it said %q, %v; want that fewer than %d of 1000 started, and why", said, err, limit)
	}
	if _, out := b.run(b.spec("forks", "100")); out.ExitCode != 0 {
		t.Errorf("another container beside it: %+v", out)
	}
}

// TestOutOfMemoryIsToldFromAKill: both end by signal 9, under the same limit.
func TestOutOfMemoryIsToldFromAKill(t *testing.T) {
	b := newBench(t)
	for reason, args := range map[messages.ExitReason][]string{
		messages.ExitOOMKilled: {"oom"},
		messages.ExitSignal:    {"sleep", "3600"},
	} {
		spec := b.spec(args...)
		spec.Resources.Memory = 32 << 20
		id := b.start(spec)
		if reason == messages.ExitSignal {
			b.must(b.rt.Kill(b.ctx, id, "KILL"))
		}
		if out := b.wait(id); out.ExitCode != 137 || out.Signal != 9 || out.Reason != reason {
			t.Errorf("%v: outcome is %+v, want 137 by signal 9, %s", args, out, reason)
		}
	}
}
