package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// LoadFile is the key whose seed is in a file, as `nk -gen curve` writes it.
func LoadFile(path string) (*Key, error) {
	seed, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the xkey: %w", err)
	}
	key, err := KeyFrom(bytes.TrimSpace(seed))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// KeptIn is the key in a file, which is made, readable by its owner alone, if it
// is not there. Only one process at a time may do that.
func KeptIn(path string) (*Key, error) {
	key, err := LoadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, err = NewKey(); err != nil {
		return nil, err
	}
	return key, write(path, append(key.Seed(), '\n'))
}

// write makes the file in one step, so that nobody who is killed here leaves
// half a key.
func write(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".xkey-*") // 0600
	if err != nil {
		return fmt.Errorf("keep the xkey: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("keep the xkey: %w", err)
	}
	return nil
}
