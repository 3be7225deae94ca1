package logger

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// The files of a log.
const (
	currentFile  = "current.log"
	previousFile = "previous.log"
	lockFile     = "lock"
	settingsFile = "settings.json"
)

// writer appends records to a log's files and rotates them. It never stops
// the flow of output: what it cannot write is counted, and said as soon as
// writing works again.
type writer struct {
	dir  string
	max  int64 // bytes of one file
	file *os.File
	size int64
	buf  []byte // records of one round
	lost int64  // bytes of output that could not be written
}

func openWriter(dir string, maxBytes int64) (*writer, error) {
	w := &writer{dir: dir, max: maxBytes}
	if err := w.open(); err != nil {
		return nil, err
	}
	return w, nil
}

// open takes up current.log where it is. A record that a crash cut is ended,
// so that the next one does not become its tail.
func (w *writer) open() error {
	f, err := os.OpenFile(filepath.Join(w.dir, currentFile), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return fmt.Errorf("log: %w", err)
	}
	last := make([]byte, 1)
	if size > 0 {
		if _, err := f.ReadAt(last, size-1); err == nil && last[0] != '\n' {
			if n, err := f.Write([]byte{'\n'}); err == nil {
				size += int64(n)
			}
		}
	}
	w.file, w.size = f, size
	return nil
}

// add puts a record into the round.
func (w *writer) add(r Record) { w.buf = appendRecord(w.buf, r) }

// commit writes the round in one write, so that readers see whole records.
func (w *writer) commit() {
	if len(w.buf) == 0 {
		return
	}
	if w.size > 0 && w.size+int64(len(w.buf)) > w.max {
		w.rotate()
	}
	if w.lost > 0 {
		note := fmt.Sprintf("[shunt: %d bytes of output were lost, the log could not be written]\n", w.lost)
		w.buf = append(appendRecord(nil, Record{At: time.Now(), Stream: Stderr, Data: []byte(note)}), w.buf...)
	}
	if n, err := w.file.Write(w.buf); err != nil {
		w.lost += int64(len(w.buf))
		w.undo(n)
	} else {
		w.lost = 0
		w.size += int64(n)
	}
	w.buf = w.buf[:0]
}

// undo takes back a write that was cut short by a full disk.
func (w *writer) undo(written int) {
	if written == 0 {
		return
	}
	if err := w.file.Truncate(w.size); err != nil {
		w.size += int64(written)
	}
}

// rotate makes current.log the previous one. When that fails the file goes on
// growing from where it is cut, which keeps the bound.
func (w *writer) rotate() {
	err := os.Rename(filepath.Join(w.dir, currentFile), filepath.Join(w.dir, previousFile))
	if err == nil {
		old := w.file
		if err = w.open(); err == nil {
			old.Close()
			return
		}
	}
	if err := w.file.Truncate(0); err == nil {
		w.size = 0
	}
}

func (w *writer) close() error { return w.file.Close() }
