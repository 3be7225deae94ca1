package logger

import (
	"strings"
	"sync"
	"testing"
)

// What several writers write at once comes back whole, each stream's in its
// order, the line that has no end with it.
func TestSinkKeepsAllOfBothStreams(t *testing.T) {
	dir := t.TempDir()
	if err := Prepare(dir, Settings{}); err != nil {
		t.Fatal(err)
	}
	sink, err := NewSink(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{Stdout: strings.Repeat("out\n", 500) + "its tail", Stderr: strings.Repeat("errors\n", 500) + "another"}
	var writing sync.WaitGroup
	for name, text := range want {
		stream := sink.Stream(name)
		writing.Go(func() {
			for piece := range strings.SplitSeq(text, "r") { // lines come in parts
				if _, err := stream.Write([]byte(piece + "r")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	reader := opened(t, dir)
	for {
		rec, ok, err := reader.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		got[rec.Stream] += string(rec.Data)
	}
	for name, text := range want {
		if got[name] != text+"r" {
			t.Errorf("%s: %d bytes came back, want %d", name, len(got[name]), len(text)+1)
		}
	}
}

// A log that is taken up again goes on where it was.
func TestSinkTakesALogUpAgain(t *testing.T) {
	dir := t.TempDir()
	for _, line := range []string{"first\n", "second\n"} {
		sink, err := NewSink(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sink.Stream(Stdout).Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
		if err := sink.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if data, _ := readAll(t, opened(t, dir)); string(data) != "first\nsecond\n" {
		t.Errorf("the log has %q", data)
	}
}
