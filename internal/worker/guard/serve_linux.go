package guard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/internal/worker/lease"
)

// idle is how long a guard stays awake with nothing to guard.
const idle = 10 * time.Second

// Serve is the guard's process: it guards what the record in the state directory
// names, and returns when nothing is left, or ctx ends.
func Serve(ctx context.Context, dir string, rt func(context.Context) (Runtime, error), log *slog.Logger) error {
	boot, err := bootID()
	if err != nil {
		return err
	}
	lock, err := takeLock(dir)
	if err != nil {
		return err
	}
	defer func() { lock.Close() }()
	if os.Getenv(inherited) != "" {
		say := os.NewFile(awakeFD, "awake")
		_, err := say.Write([]byte{1})
		say.Close()
		if err != nil {
			return fmt.Errorf("say that the guard is awake: %w", err)
		}
	}
	files := &Files{Dir: dir, Boot: boot}
	loop := Loop{Read: files.Last, Note: files.note, Clock: lease.BootClock{}, Runtime: rt, Log: log, Idle: idle}
	log.Info("the guard is awake", "pid", os.Getpid())
	for {
		loop.Run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		// A worker that came while the lock was held has started no other guard.
		if err := lock.Close(); err != nil {
			return err
		}
		rec, err := files.Last()
		if err == nil && len(rec.Containers) == 0 {
			log.Info("nothing is left to guard")
			return nil
		}
		if lock, err = openLock(dir); errors.Is(err, errAwake) {
			return nil // that worker has started another by now
		}
		if err != nil {
			return err
		}
	}
}

var errAwake = errors.New("another guard is awake")

// takeLock is the lock that was inherited, or the one of the directory.
func takeLock(dir string) (*os.File, error) {
	if os.Getenv(inherited) == "" {
		return openLock(dir)
	}
	unix.CloseOnExec(lockFD)
	return os.NewFile(lockFD, "lock"), nil
}

func openLock(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the guard's lock: %w", err)
	}
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return lock, nil
	}
	lock.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("%w over %s", errAwake, dir)
	}
	return nil, fmt.Errorf("the guard's lock: %w", err)
}
