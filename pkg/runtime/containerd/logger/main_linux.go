package logger

import (
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The file descriptors that the shim gives its logger.
const (
	fdStdout = 3
	fdStderr = 4
	fdReady  = 5
)

// Main is the logger: `worker log DIR`. It returns the process's exit code and
// is meant to be called before anything else is set up. There is one logger
// for each running container, so it stays small.
func Main(args []string) int {
	if len(args) != 1 || args[0] == "" {
		fmt.Fprintln(os.Stderr, "log: want one argument, the log's directory; containerd's shim calls this, people use `shunt logs`")
		return 2
	}
	debug.SetGCPercent(20)
	if err := run(args[0]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func run(dir string) error {
	stop, err := stopPipe()
	if err != nil {
		return err
	}
	settings, err := readSettings(dir)
	if err != nil {
		return err
	}
	lock, err := takeLock(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	w, err := openWriter(dir, settings.MaxBytes)
	if err != nil {
		return err
	}
	defer w.close()
	c := &copier{w: w, stop: stop}
	c.open(fdStdout, Stdout)
	if !settings.Terminal {
		c.open(fdStderr, Stderr)
	}
	if err := sayReady(); err != nil {
		return err
	}
	return c.run()
}

// sayReady lets the shim start the container. A closed pipe would do; the byte
// tells it apart from a crash.
func sayReady() error {
	ready := os.NewFile(fdReady, "ready")
	_, err := ready.Write([]byte{0})
	if cerr := ready.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("log: tell the shim that the logger is ready: %w", err)
	}
	return nil
}

// takeLock waits for the logger of the container's last start, if it lives,
// and leaves this one's pid for Finish.
func takeLock(dir string) (*os.File, error) {
	lock, err := os.OpenFile(lockPath(dir), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	if err := flock(lock, unix.LOCK_EX); err != nil {
		lock.Close()
		return nil, fmt.Errorf("log: lock %s: %w", lock.Name(), err)
	}
	pid := fmt.Sprintf("%d\n", os.Getpid())
	if _, err := lock.WriteAt([]byte(pid), 0); err == nil {
		err = lock.Truncate(int64(len(pid)))
		if err == nil {
			return lock, nil
		}
	}
	lock.Close()
	return nil, fmt.Errorf("log: %s cannot be written", lock.Name())
}

// stopPipe is a descriptor that can be read as soon as SIGTERM came. The other
// signals that end a program are the container's matter, not the log's.
func stopPipe() (int, error) {
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE)
	fds := make([]int, 2)
	if err := unix.Pipe2(fds, unix.O_CLOEXEC); err != nil {
		return 0, fmt.Errorf("log: %w", err)
	}
	terms := make(chan os.Signal, 1)
	signal.Notify(terms, syscall.SIGTERM)
	go func() {
		<-terms
		unix.Close(fds[1]) // the read end becomes readable
	}()
	return fds[0], nil
}

// copier moves what comes from the container into the log, in one goroutine,
// so that records of both streams stand in the order in which they came.
type copier struct {
	w       *writer
	stop    int // readable: copy what is there, then end
	sources []*source
}

type source struct {
	fd    int
	split splitter
	ended bool
}

func (c *copier) open(fd int, stream string) {
	c.sources = append(c.sources, &source{fd: fd, split: splitter{stream: stream}})
}

// run copies until all sources have ended, or until it was stopped and nothing
// is left to copy.
func (c *copier) run() error {
	buf := make([]byte, 64<<10)
	stopping := false
	for {
		ready, stopped, err := c.poll(stopping)
		if err != nil {
			return err
		}
		for _, s := range ready {
			if err := c.copy(s, buf); err != nil {
				return err
			}
		}
		c.w.commit()
		if c.ended() || (stopping && len(ready) == 0) {
			c.finish()
			return nil
		}
		stopping = stopping || stopped
	}
}

// poll waits for the sources that can be read; when stopping, it only looks.
func (c *copier) poll(stopping bool) (ready []*source, stopped bool, err error) {
	var fds []unix.PollFd
	var open []*source
	for _, s := range c.sources {
		if !s.ended {
			open = append(open, s)
			fds = append(fds, unix.PollFd{Fd: int32(s.fd), Events: unix.POLLIN})
		}
	}
	timeout := 0
	if !stopping {
		timeout = -1
		fds = append(fds, unix.PollFd{Fd: int32(c.stop), Events: unix.POLLIN})
	}
	for {
		_, err = unix.Poll(fds, timeout)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("log: poll: %w", err)
	}
	for i, s := range open {
		if fds[i].Revents != 0 {
			ready = append(ready, s)
		}
	}
	return ready, !stopping && fds[len(open)].Revents != 0, nil
}

// copy moves one piece of a source into the round.
func (c *copier) copy(s *source, buf []byte) error {
	n, err := unix.Read(s.fd, buf)
	switch {
	case err == unix.EINTR || err == unix.EAGAIN:
		return nil
	case err != nil:
		return fmt.Errorf("log: read %s: %w", s.split.stream, err)
	case n == 0:
		s.ended = true
		s.split.flush(time.Now(), c.w.add)
	default:
		s.split.feed(time.Now(), buf[:n], c.w.add)
	}
	return nil
}

func (c *copier) ended() bool {
	for _, s := range c.sources {
		if !s.ended {
			return false
		}
	}
	return true
}

func (c *copier) finish() {
	for _, s := range c.sources {
		s.split.flush(time.Now(), c.w.add)
	}
	c.w.commit()
}
