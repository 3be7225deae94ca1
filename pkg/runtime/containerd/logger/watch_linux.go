package logger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Watcher tells when something in a log's directory has changed.
type Watcher struct {
	file    *os.File // nil: the kernel tells nothing
	changed chan struct{}
}

// Watch begins to watch. The caller must Close it. A user has only so many watches
// (fs.inotify.max_user_instances, 128 on many machines), and a node may have more
// readers: those beyond it look every second.
func Watch(dir string) (*Watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
		return &Watcher{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("log: inotify: %w", err)
	}
	w := &Watcher{file: os.NewFile(uintptr(fd), "inotify"), changed: make(chan struct{}, 1)}
	// A logger's death closes its lock, which is IN_CLOSE_WRITE.
	const events = unix.IN_MODIFY | unix.IN_CLOSE_WRITE | unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_MOVED_FROM
	if _, err := unix.InotifyAddWatch(fd, dir, events); err != nil {
		w.file.Close()
		return nil, fmt.Errorf("log: watch %s: %w", dir, err)
	}
	go w.read()
	return w, nil
}

// read ends when the file is closed.
func (w *Watcher) read() {
	buf := make([]byte, 4096)
	for {
		if _, err := w.file.Read(buf); err != nil {
			return
		}
		select {
		case w.changed <- struct{}{}:
		default:
		}
	}
}

// Wait returns when something may have changed since the last Wait, when other
// is closed or sent to, or, since a watch can miss what it is not told, after a
// second. Its error is the context's.
func (w *Watcher) Wait(ctx context.Context, other <-chan struct{}) error {
	timer := time.NewTimer(lookAgain)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.changed:
	case <-other:
	case <-timer.C:
	}
	return nil
}

// Close ends the watch.
func (w *Watcher) Close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}
