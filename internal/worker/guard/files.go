package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/shunt-fleet/shunt/internal/worker/lease"
)

// Names of a guard's files in the state directory.
const (
	recordFile  = "lease.json"
	stoppedFile = "lease.stopped.json"
	lockFile    = "guard.lock"
	logFile     = "guard.log"
)

// Files are what worker and guard share. They need not survive the machine, only
// the processes, so they are not synced.
type Files struct {
	Dir  string
	Boot string // identity of this run of the machine; what was written in another counts for nothing

	mu sync.Mutex
}

// onDisk is a file's content with the boot it belongs to.
type onDisk[T any] struct {
	Boot  string `json:"boot"`
	Value T      `json:"value"`
}

// Last is the record that was written last in this run of the machine.
func (f *Files) Last() (lease.Record, error) { return load[lease.Record](f, recordFile) }

func (f *Files) write(r lease.Record) error { return save(f, recordFile, r) }

// Stopped tells whether the guard has ended the container of an attempt.
func (f *Files) Stopped(job string, attempt uint64) bool {
	stopped, err := load[[]lease.Container](f, stoppedFile)
	return err == nil && slices.ContainsFunc(stopped, func(c lease.Container) bool {
		return c.Job == job && c.Attempt == attempt
	})
}

// note adds a container to those that the guard has ended, and drops those that
// no worker asks about any more.
func (f *Files) note(c lease.Container) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	rec, err := f.Last()
	if err != nil {
		return err
	}
	stopped, err := load[[]lease.Container](f, stoppedFile)
	if err != nil {
		return err
	}
	stopped = slices.DeleteFunc(stopped, func(old lease.Container) bool {
		return !slices.Contains(rec.Containers, old) || old == c
	})
	return save(f, stoppedFile, append(stopped, c))
}

// load reads a file; one that is not there, or of another boot, is empty.
func load[T any](f *Files, name string) (T, error) {
	var none T
	path := filepath.Join(f.Dir, name)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("the lease's record: %w", err)
	}
	var content onDisk[T]
	if err := json.Unmarshal(data, &content); err != nil {
		return none, fmt.Errorf("%s: %w", path, err)
	}
	if content.Boot != f.Boot {
		return none, nil
	}
	return content.Value, nil
}

// save replaces a file in one step.
func save[T any](f *Files, name string, value T) error {
	data, err := json.Marshal(onDisk[T]{f.Boot, value})
	if err != nil {
		return err
	}
	path := filepath.Join(f.Dir, name)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("note the lease: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("note the lease: %w", err)
	}
	return nil
}
