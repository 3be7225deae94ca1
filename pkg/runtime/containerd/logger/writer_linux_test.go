package logger

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// say writes a line as a round of its own.
func (w *writer) say(line string) {
	w.add(Record{At: time.Now(), Stream: Stdout, Data: []byte(line)})
	w.commit()
}

// TestLostOutputIsCountedAsItWasWritten: what the log says is missing are the
// program's own bytes, each once, however often writing has failed.
func TestLostOutputIsCountedAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	w, err := openWriter(dir, DefaultMaxBytes)
	if err != nil {
		t.Fatal(err)
	}
	good := w.file
	if w.file, err = os.Open(good.Name()); err != nil { // which takes no writes
		t.Fatal(err)
	}
	defer w.file.Close()
	for range 100 {
		w.say("123456789\n")
	}
	w.file = good
	defer w.close()
	w.say("after\n")
	w.say("more\n")
	want := fmt.Sprintf("[shunt: %d bytes of output were lost, the log could not be written]\nafter\nmore\n", 100*len("123456789\n"))
	if got, _ := readAll(t, opened(t, dir)); string(got) != want {
		t.Errorf("the log is %q, want %q", got, want)
	}
}

// TestRotationThatFailsLosesNothingOfBefore: no file can be made when the log is
// to be rotated, as on a disk without an inode left.
func TestRotationThatFailsLosesNothingOfBefore(t *testing.T) {
	dir := t.TempDir()
	line := strings.Repeat("z", 89) + "\n"
	w, err := openWriter(dir, 1000)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	kept := 0
	for w.size+200 < w.max {
		w.say(line)
		kept++
	}
	noFilesWithin(t, func() {
		for range 5 {
			w.say(line)
		}
	})
	if _, err := os.Stat(filepath.Join(dir, currentFile)); err != nil {
		t.Errorf("the log has no file to be written to: %v", err)
	}
	w.say("after\n")
	got, _ := readAll(t, opened(t, dir))
	fitted := strings.Count(string(got), line) - kept
	want := fmt.Sprintf("[shunt: %d bytes of output were lost, the log could not be written]\nafter\n", (5-fitted)*len(line))
	if fitted < 0 || fitted > 2 || !strings.HasSuffix(string(got), want) {
		t.Errorf("of %d lines before, and 5 more, there are %d; the end is %q, want %q", kept, kept+fitted, got[max(0, len(got)-200):], want)
	}
}

// noFilesWithin runs f while this process can open no file.
func noFilesWithin(t *testing.T, f func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}

// The log of a container that is removed is moved away, maybe from under a reader
// that has only just opened it.
func TestALogThatIsMovedIsReadOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	written(t, dir, DefaultMaxBytes, "one\n")
	r := opened(t, dir)
	if err := os.Rename(dir, dir+"@removed"); err != nil {
		t.Fatal(err)
	}
	if got, _ := readAll(t, r); string(got) != "one\n" {
		t.Errorf("it has %q", got)
	}
}
