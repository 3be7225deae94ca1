package logger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// The files of a log.
const (
	currentFile  = "current.log"
	previousFile = "previous.log"
	nextFile     = "next.log" // a current.log that is being made
	lockFile     = "lock"
	settingsFile = "settings.json"
)

// writer appends records to a log's files and rotates them. It never stops
// the flow of output: what it cannot write is counted, and said as soon as
// writing works again.
type writer struct {
	dir    string
	max    int64 // bytes of one file
	file   *os.File
	size   int64
	buf    []byte // records of one round
	output int64  // bytes of output that are in buf
	lost   int64  // bytes of output that could not be written
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
	f, err := w.create(currentFile, 0)
	if err != nil {
		return err
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

func (w *writer) create(name string, flags int) (*os.File, error) {
	f, err := openFile(filepath.Join(w.dir, name), os.O_RDWR|os.O_CREATE|os.O_APPEND|flags)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return f, nil
}

// add puts a record into the round.
func (w *writer) add(r Record) {
	w.buf = appendRecord(w.buf, r)
	w.output += int64(len(r.Data))
}

// commit writes the round in one write, so that readers see whole records.
func (w *writer) commit() {
	if len(w.buf) == 0 {
		return
	}
	if err := w.write(); err != nil {
		w.lost += w.output
	} else {
		w.lost = 0
	}
	w.buf, w.output = w.buf[:0], 0
}

// write writes the round, after a line that says what is missing before it.
func (w *writer) write() error {
	if w.lost > 0 {
		note := fmt.Sprintf("[shunt: %d bytes of output were lost, the log could not be written]\n", w.lost)
		w.buf = append(appendRecord(nil, Record{At: time.Now(), Stream: Stderr, Data: []byte(note)}), w.buf...)
	}
	if w.size > 0 && w.size+int64(len(w.buf)) > w.max {
		if err := w.rotate(); err != nil {
			return err
		}
	}
	n, err := w.file.Write(w.buf)
	if err != nil {
		w.undo(n)
		return err
	}
	w.size += int64(n)
	return nil
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

// rotate makes current.log the previous one. The file that takes its place is
// made first: when that fails, what is in the log stays there. It may be called
// again after it has failed at any step.
func (w *writer) rotate() error {
	next, err := w.create(nextFile, os.O_TRUNC)
	if err != nil {
		return err
	}
	err = w.rename(currentFile, previousFile)
	if err == nil || errors.Is(err, fs.ErrNotExist) { // a rotation that failed half-way has done it
		err = w.rename(nextFile, currentFile)
	}
	if err != nil {
		next.Close()
		return err
	}
	w.file.Close()
	w.file, w.size = next, 0
	return nil
}

func (w *writer) rename(from, to string) error {
	return replace(filepath.Join(w.dir, from), filepath.Join(w.dir, to))
}

func (w *writer) close() error { return w.file.Close() }
