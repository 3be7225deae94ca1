package logger

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// written puts output through a splitter and a writer, in pieces.
func written(t *testing.T, dir string, most int64, pieces ...string) {
	t.Helper()
	w, err := openWriter(dir, most)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	s := splitter{stream: Stdout}
	for _, p := range pieces {
		s.feed(time.Now(), []byte(p), w.add)
		w.commit()
	}
	s.flush(time.Now(), w.add)
	w.commit()
}

func readAll(t *testing.T, r *Reader) (data []byte, parts int) {
	t.Helper()
	for {
		rec, ok, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return data, parts
		}
		parts++
		if len(rec.Data) > MaxPart {
			t.Errorf("a record of %d bytes", len(rec.Data))
		}
		data = append(data, rec.Data...)
	}
}

func opened(t *testing.T, dir string) *Reader {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func TestBytesComeBackAsTheyWere(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for name, pieces := range map[string][]string{
		"lines":        {"one\ntwo\n", "three\n"},
		"split lines":  {"on", "e\ntw", "o", "\n"},
		"no end":       {"one\ntwo"},
		"empty lines":  {"\n\n\n"},
		"every byte":   {string(all), string(all)},
		"long line":    {strings.Repeat("x", 3*MaxPart+5), "\nend"},
		"exactly full": {strings.Repeat("x", MaxPart), "\n"},
	} {
		dir := t.TempDir()
		written(t, dir, DefaultMaxBytes, pieces...)
		if got, _ := readAll(t, opened(t, dir)); string(got) != strings.Join(pieces, "") {
			t.Errorf("%s: %d bytes came back, want %d as they were", name, len(got), len(strings.Join(pieces, "")))
		}
	}
}

func TestRotationIsBoundedAndReadOn(t *testing.T) {
	dir := t.TempDir()
	const most = 4096
	w, err := openWriter(dir, most)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	r := opened(t, dir)
	line := strings.Repeat("y", 90) + "\n"
	for i := range 500 {
		w.add(Record{At: time.Now(), Stream: Stderr, Data: []byte(line)})
		w.commit()
		if got, n := readAll(t, r); n != 1 || string(got) != line {
			t.Fatalf("after line %d a reader that keeps up got %d records", i, n)
		}
	}
	var size int64
	for _, f := range []string{currentFile, previousFile} {
		info, err := os.Stat(filepath.Join(dir, f))
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > 2*most {
		t.Errorf("the files have %d bytes, more than twice %d", size, most)
	}
	if got, n := readAll(t, opened(t, dir)); n < 20 || !bytes.HasSuffix(got, []byte(line)) {
		t.Errorf("a new reader gets %d records", n)
	}
}

func TestCutRecordIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	written(t, dir, DefaultMaxBytes, "before\n")
	f, err := os.OpenFile(filepath.Join(dir, currentFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("2026-01-02T15:04:05.000000000Z std"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	written(t, dir, DefaultMaxBytes, "after\n")
	if got, _ := readAll(t, opened(t, dir)); string(got) != "before\nafter\n" {
		t.Errorf("read %q", got)
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte("2026-01-02T15:04:05.000000000Z stdout F hello\n"))
	f.Add([]byte("2026-01-02T15:04:05.000000000Z stderr P \n"))
	f.Fuzz(func(t *testing.T, line []byte) {
		rec, ok := parseRecord(line)
		if !ok || bytes.IndexByte(line, '\n') != len(line)-1 {
			return
		}
		again, ok := parseRecord(appendRecord(nil, rec))
		if !ok || !again.At.Equal(rec.At) || again.Stream != rec.Stream || !bytes.Equal(again.Data, rec.Data) {
			t.Errorf("%q is read as %+v, then as %+v", line, rec, again)
		}
	})
}
