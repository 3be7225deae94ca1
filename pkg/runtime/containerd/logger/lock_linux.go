package logger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func lockPath(dir string) string { return filepath.Join(dir, lockFile) }

// flock takes a lock, over the signals that Go's own runtime sends.
func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			return err
		}
	}
}

// Started tells whether a logger has ever taken up the log.
func Started(dir string) bool {
	_, err := os.Stat(lockPath(dir))
	return err == nil
}

// Running tells whether a logger has the log.
func Running(dir string) (bool, error) {
	lock, err := os.Open(lockPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("log: %w", err)
	}
	defer lock.Close()
	err = flock(lock, unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("log: lock %s: %w", lock.Name(), err)
	}
	return false, nil // closing the file gives the lock back
}

// Finish makes the logger of a container that has ended copy what is left and
// exit, and returns when it has. The log is then complete. It must not be
// called while the container runs: it would go on without a log.
func Finish(ctx context.Context, dir string) error {
	running, err := Running(dir)
	if err != nil || !running {
		return err
	}
	watch, err := Watch(dir)
	if err != nil {
		return err
	}
	defer watch.Close()
	for {
		if running, err := Running(dir); err != nil || !running {
			return err
		}
		if err := terminate(dir); err != nil {
			return err
		}
		if err := watch.Wait(ctx, nil); err != nil {
			return fmt.Errorf("log: wait for the logger to end: %w", err)
		}
	}
}

// terminate sends SIGTERM to the logger. The pid is looked at again once the
// process is held, so that no other process under a used pid is hit.
func terminate(dir string) error {
	pid, err := loggerPID(dir)
	if err != nil || pid == 0 {
		return err
	}
	process, err := os.FindProcess(pid) // by pidfd
	if err != nil {
		return fmt.Errorf("log: logger %d: %w", pid, err)
	}
	defer func() { _ = process.Release() }()
	if running, err := Running(dir); err != nil || !running {
		return err
	}
	if again, err := loggerPID(dir); err != nil || again != pid {
		return err
	}
	if err := process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("log: logger %d: %w", pid, err)
	}
	return nil
}

// loggerPID is the pid in the lock; 0 when it is not there yet.
func loggerPID(dir string) (int, error) {
	data, err := os.ReadFile(lockPath(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("log: %w", err)
	}
	if pid, err := strconv.Atoi(string(bytes.TrimSpace(data))); err == nil && pid > 1 {
		return pid, nil
	}
	return 0, nil // not written yet
}

// lookAgain bounds how long a watch trusts that it would be told.
const lookAgain = time.Second
