package boltjournal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/worker/journal/journaltest"
)

// writerDir tells a run of the test binary under strace that it is the writer.
const writerDir = "SHUNT_TEST_JOURNAL_DIR"

// mark is a file name that only the writer touches, to show in the trace what
// happened when.
const mark = "shunt-test-mark-"

// TestAWriteIsOnTheDiskWhenItReturns counts the syncs from outside: it traces
// the system calls of a process that writes, and looks for a sync of the
// journal's file between the begin of every write and its return.
func TestAWriteIsOnTheDiskWhenItReturns(t *testing.T) {
	if dir := os.Getenv(writerDir); dir != "" {
		writeWatched(t, dir)
		return
	}
	strace := testenv.Program(t, "strace", "apt-get install strace")
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(strace, "-f", "-y", "-o", trace, "-e", "trace=fdatasync,fsync,newfstatat",
		os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.count", "1")
	cmd.Env = append(os.Environ(), writerDir+"="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	for n, syncs := range syncsPerWrite(string(data)) {
		// bbolt syncs the pages, then the page that makes them count; and once
		// more, first, when the file has grown.
		if syncs < 2 {
			t.Errorf("write %d returned after %d syncs of the journal, want at least 2\n%s", n, syncs, data)
		}
	}
	if n := len(syncsPerWrite(string(data))); n != writes {
		t.Errorf("the trace shows %d writes, want %d\n%s", n, writes, data)
	}
}

// writes is how often the writer writes.
const writes = 5

// writeWatched is the process that is watched. It says by a system call of no effect
// when each write begins and has returned.
func writeWatched(t *testing.T, dir string) {
	j := open(t, dir)
	say := func(what string, n uint64) { _, _ = os.Stat(filepath.Join(dir, fmt.Sprint(mark, what, "-", n))) }
	for n := range uint64(writes) {
		say("begin", n)
		if err := j.Write(journaltest.Attempt("job", n+1)); err != nil {
			t.Fatal(err)
		}
		say("end", n)
	}
}

// syncsPerWrite counts, for each write, the syncs of the journal's file that
// have returned while it was going on.
func syncsPerWrite(trace string) map[int]int {
	syncs, now := map[int]int{}, -1
	for line := range strings.Lines(trace) {
		if _, rest, ok := strings.Cut(line, mark); ok {
			what, rest, _ := strings.Cut(rest, "-")
			number, _, _ := strings.Cut(rest, `"`)
			n, _ := strconv.Atoi(number)
			switch what {
			case "begin":
				now = n
				syncs[n] += 0
			case "end":
				now = -1
			}
			continue
		}
		whole := strings.Contains(line, "sync(") && strings.Contains(line, FileName) && strings.Contains(line, "= 0")
		resumed := strings.Contains(line, "sync resumed") && strings.Contains(line, "= 0")
		if now >= 0 && (whole || resumed) {
			syncs[now]++
		}
	}
	return syncs
}
