package containerd

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/logger"
)

// logStore is where logs are: one directory for each container there is, and
// some of containers that are gone, each with the time of its removal.
//
//	<state-dir>/logs/live/<container's id in containerd>/
//	<state-dir>/logs/removed/<the same>@<unix nanoseconds>/
type logStore struct {
	dir     string
	keep    int
	keepFor time.Duration
	max     int64
}

func newLogStore(cfg Config) logStore {
	return logStore{
		dir:     filepath.Join(cfg.StateDir, "logs"),
		keep:    cfg.RemovedLogs,
		keepFor: cfg.RemovedLogsAge,
		max:     cfg.MaxLogBytes,
	}
}

func (s logStore) live(cid string) string { return filepath.Join(s.dir, "live", cid) }
func (s logStore) removedDir() string     { return filepath.Join(s.dir, "removed") }

// open makes the directories and drops what is too old.
func (s logStore) open() error {
	for _, dir := range []string{filepath.Join(s.dir, "live"), s.removedDir()} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return fmt.Errorf("logs: %w", err)
		}
	}
	return s.sweep(time.Now())
}

// create makes the directory of a new container's log. What a container of
// that id left that was removed by somebody else is put aside first.
func (s logStore) create(cid string, terminal bool) error {
	if _, err := os.Stat(s.live(cid)); err == nil {
		if err := s.retire(cid); err != nil {
			return err
		}
	}
	return logger.Prepare(s.live(cid), logger.Settings{MaxBytes: s.max, Terminal: terminal})
}

// drop takes away the log of a container whose making failed.
func (s logStore) drop(cid string) error {
	if err := os.RemoveAll(s.live(cid)); err != nil {
		return fmt.Errorf("logs: %w", err)
	}
	return nil
}

// retire keeps the log of a container that is being removed for some time. It
// may be called again.
func (s logStore) retire(cid string) error {
	now := time.Now()
	name := cid + "@" + strconv.FormatInt(now.UnixNano(), 10)
	err := os.Rename(s.live(cid), filepath.Join(s.removedDir(), name))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("logs: %w", err)
	}
	return s.sweep(now)
}

// find is the directory of a container's log, or of the last container with
// that id that was removed. ok is false when there is none.
func (s logStore) find(cid string) (dir string, live, ok bool, err error) {
	if _, err := os.Stat(s.live(cid)); err == nil {
		return s.live(cid), true, true, nil
	}
	removed, err := s.removed()
	if err != nil {
		return "", false, false, err
	}
	for _, r := range removed { // newest first
		if r.cid == cid {
			return r.dir, false, true, nil
		}
	}
	return "", false, false, nil
}

type removedLog struct {
	dir, cid string
	at       time.Time
}

// removed lists the logs of removed containers, newest first.
func (s logStore) removed() ([]removedLog, error) {
	entries, err := os.ReadDir(s.removedDir())
	if err != nil {
		return nil, fmt.Errorf("logs: %w", err)
	}
	var out []removedLog
	for _, e := range entries {
		cid, stamp, _ := strings.Cut(e.Name(), "@")
		nanos, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			continue // not ours
		}
		out = append(out, removedLog{dir: filepath.Join(s.removedDir(), e.Name()), cid: cid, at: time.Unix(0, nanos)})
	}
	slices.SortFunc(out, func(a, b removedLog) int { return cmp.Compare(b.at.UnixNano(), a.at.UnixNano()) })
	return out, nil
}

// sweep drops the logs that are too many or too old, the oldest first.
func (s logStore) sweep(now time.Time) error {
	removed, err := s.removed()
	if err != nil {
		return err
	}
	var errs []error
	for i, r := range removed {
		if i >= s.keep || now.Sub(r.at) > s.keepFor {
			errs = append(errs, os.RemoveAll(r.dir))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("logs: %w", err)
	}
	return nil
}
