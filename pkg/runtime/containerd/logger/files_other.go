//go:build !windows

package logger

import "os"

func openFile(path string, flags int) (*os.File, error) { return os.OpenFile(path, flags, 0o640) }

func replace(from, to string) error { return os.Rename(from, to) }
