package managed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sys/unix"
)

// settled is how long a daemon must have lived for its death to count as the
// first one.
const settled = time.Minute

// watch starts the daemon again whenever it has died.
func (c *Containerd) watch(ctx context.Context) {
	defer close(c.watched)
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 50 * time.Millisecond
	pause.MaxInterval = 10 * time.Second
	for {
		began := time.Now()
		if awaitEnd(ctx, c.current()) != nil {
			return
		}
		if time.Since(began) > settled {
			pause.Reset()
		}
		c.set(c.current(), fmt.Errorf("managed containerd: it died; %s", tail(c.layout.log)))
		if !c.revive(ctx, pause) {
			return
		}
	}
}

func (c *Containerd) current() identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id
}

// revive tries until the daemon runs; it is false when the watch ended.
func (c *Containerd) revive(ctx context.Context, pause *backoff.ExponentialBackOff) bool {
	for {
		wait := pause.NextBackOff()
		c.cfg.Logger.Warn("containerd does not run, it is started again", "after", wait, "reason", c.Health())
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
		err := c.ensure(ctx)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		c.set(c.current(), err)
	}
}

// awaitEnd returns when the process has ended; its error is the context's.
func awaitEnd(ctx context.Context, id identity) error {
	fd, err := unix.PidfdOpen(id.PID, 0)
	if err != nil {
		if errors.Is(err, unix.ESRCH) {
			return nil
		}
		fd = -1 // an old kernel; looking now and then does too
	} else {
		defer unix.Close(fd)
	}
	for id.alive() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		const look = 100 // milliseconds
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, look)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("managed containerd: watch: %w", err)
		}
	}
	return nil
}
