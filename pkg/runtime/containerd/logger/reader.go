package logger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Reader reads a log from its oldest record on, and goes on when there is
// more. It may run beside the logger. One goroutine at a time may use it.
type Reader struct {
	dir   folder
	files []*os.File // the one being read, then those after it
	buf   []byte     // what was read and is not yet given out
	chunk []byte
}

// Open opens a log. The caller must Close the reader. A log that nothing was
// written to has no records.
func Open(dir string) (*Reader, error) {
	at, err := openFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return &Reader{dir: at}, nil
}

// Next is the next record; ok is false when there is none now.
func (r *Reader) Next() (rec Record, ok bool, err error) {
	for {
		if end := bytes.IndexByte(r.buf, '\n'); end >= 0 {
			rec, ok := parseRecord(r.buf[:end+1])
			r.buf = r.buf[end+1:]
			if ok {
				rec.Data = bytes.Clone(rec.Data)
				return rec, true, nil
			}
			continue
		}
		more, err := r.fill()
		if err != nil || !more {
			return Record{}, false, err
		}
	}
}

// fill reads more of the current file, or goes to the one after it.
func (r *Reader) fill() (bool, error) {
	if len(r.files) == 0 {
		if err := r.openNewer(nil); err != nil || len(r.files) == 0 {
			return false, err
		}
	}
	if more, err := r.read(); err != nil || more {
		return more, err
	}
	if len(r.files) == 1 {
		if err := r.openNewer(r.files[0]); err != nil || len(r.files) == 1 {
			return false, err
		}
		// The file may have grown between its end and the rotation.
		if more, err := r.read(); err != nil || more {
			return more, err
		}
	}
	r.files[0].Close()
	r.files = r.files[1:]
	r.buf = nil // a record that was cut
	return true, nil
}

func (r *Reader) read() (bool, error) {
	if r.chunk == nil {
		r.chunk = make([]byte, 64<<10)
	}
	n, err := r.files[0].Read(r.chunk)
	if n > 0 {
		r.buf = append(bytes.Clone(r.buf), r.chunk[:n]...)
		return true, nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("log: %w", err)
	}
	return false, nil
}

// openNewer adds the files that come after last, oldest first. current.log is
// opened first: should a rotation come between, it is then found twice, not
// missed.
func (r *Reader) openNewer(last *os.File) error {
	current, err := openIfThere(r.dir, currentFile)
	if err != nil {
		return err
	}
	previous, err := openIfThere(r.dir, previousFile)
	if err != nil {
		closeAll(current)
		return err
	}
	if same(last, current) { // nothing was rotated
		closeAll(current, previous)
		return nil
	}
	if same(last, previous) || same(current, previous) {
		closeAll(previous)
		previous = nil
	}
	for _, f := range []*os.File{previous, current} {
		if f != nil {
			r.files = append(r.files, f)
		}
	}
	return nil
}

func openIfThere(dir folder, name string) (*os.File, error) {
	f, err := dir.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return f, nil
}

func same(a, b *os.File) bool {
	if a == nil || b == nil {
		return false
	}
	sa, errA := a.Stat()
	sb, errB := b.Stat()
	return errA == nil && errB == nil && os.SameFile(sa, sb)
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}

// Close frees what the reader holds.
func (r *Reader) Close() {
	closeAll(r.files...)
	r.files = nil
	r.dir.close()
}
