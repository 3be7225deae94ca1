package logger

import (
	"crypto/rand"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// openFile opens a file that may be renamed and removed while it is open, as a
// rotation does with files that are being read. Go's own os.OpenFile does not
// allow that.
func openFile(path string, flags int) (*os.File, error) {
	access, how := uint32(windows.GENERIC_READ), uint32(windows.OPEN_EXISTING)
	if flags&os.O_RDWR != 0 {
		access |= windows.FILE_APPEND_DATA | windows.FILE_WRITE_ATTRIBUTES
	}
	switch {
	case flags&os.O_TRUNC != 0:
		how = windows.CREATE_ALWAYS
	case flags&os.O_CREATE != 0:
		how = windows.OPEN_ALWAYS
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(name, access, share, nil, how, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// folder is a log's directory. It is not held open: then it could not be moved.
type folder struct{ dir string }

func openFolder(dir string) (folder, error) {
	_, err := os.Stat(dir)
	return folder{dir}, err
}

func (f folder) open(name string) (*os.File, error) {
	return openFile(filepath.Join(f.dir, name), os.O_RDONLY)
}

func (f folder) close() {}

// replace renames a file over another one. One that is being read cannot be
// replaced, but it can be renamed, and then goes with its last reader.
func replace(from, to string) error {
	err := os.Rename(from, to)
	if err == nil {
		return nil
	}
	aside := to + "." + rand.Text()
	if moveErr := os.Rename(to, aside); moveErr != nil {
		return err
	}
	_ = os.Remove(aside) // it goes when nobody reads it any more
	return os.Rename(from, to)
}
