//go:build !windows

package logger

import "os"

func openFile(path string, flags int) (*os.File, error) { return os.OpenFile(path, flags, 0o640) }

// folder is a log's directory, wherever it is moved to while it is open.
type folder struct{ root *os.Root }

func openFolder(dir string) (folder, error) {
	root, err := os.OpenRoot(dir)
	return folder{root}, err
}

func (f folder) open(name string) (*os.File, error) { return f.root.Open(name) }

func (f folder) close() { f.root.Close() }

func replace(from, to string) error { return os.Rename(from, to) }
