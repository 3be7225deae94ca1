package managed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"
)

// Containerd is a containerd of shunt's own, running and watched. Make one with
// Start.
type Containerd struct {
	cfg     Config
	layout  layout
	program string
	path    string

	stop    context.CancelFunc
	watched chan struct{} // closed when the watch has ended

	mu     sync.Mutex
	id     identity
	health error
}

// Start takes up the containerd of the state directory, or starts one, and
// returns when it answers. It is PermissionDenied when this process is not
// root's, and NotFound when a program is missing.
func Start(ctx context.Context, cfg Config) (*Containerd, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	if uid := os.Geteuid(); uid != 0 {
		return nil, fmt.Errorf("managed containerd: it needs root, this is uid %d; run as root, or use --runtime memory: %w", uid, errdefs.ErrPermissionDenied)
	}
	c := &Containerd{cfg: cfg, layout: newLayout(cfg.StateDir), watched: make(chan struct{})}
	if c.program, c.path, err = findTools(cfg.Tools); err != nil {
		return nil, err
	}
	if err := c.layout.make(); err != nil {
		return nil, err
	}
	if err := c.ensure(ctx); err != nil {
		return nil, err
	}
	watchCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	go c.watch(watchCtx)
	return c, nil
}

// Address is containerd's socket.
func (c *Containerd) Address() string { return c.layout.socket }

// PID is the daemon's process.
func (c *Containerd) PID() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id.PID
}

// Health is nil while the daemon runs, else why it does not.
func (c *Containerd) Health() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.health
}

func (c *Containerd) set(id identity, health error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id, c.health = id, health
}

// Close stops watching. The daemon and the containers run on.
func (c *Containerd) Close() error {
	c.stop()
	<-c.watched
	return nil
}

// Shutdown stops the daemon: in peace, or by force when ctx ends first.
// Containers run on without it.
func (c *Containerd) Shutdown(ctx context.Context) error {
	c.stop()
	<-c.watched
	id, ok := recorded(c.layout.pid)
	if !ok {
		return nil
	}
	if err := id.signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("managed containerd: stop: %w", err)
	}
	if err := awaitEnd(ctx, id); err == nil {
		return nil
	}
	if err := id.signal(syscall.SIGKILL); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("managed containerd: kill: %w", err)
	}
	return awaitEnd(context.WithoutCancel(ctx), id)
}

// Remove is Shutdown, and takes away what the daemon has kept outside the state
// directory. It is for when its containers are gone: one that still runs could
// not be found again.
func (c *Containerd) Remove(ctx context.Context) error {
	if err := c.Shutdown(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(c.layout.run); err != nil {
		return fmt.Errorf("managed containerd: %w", err)
	}
	return nil
}

// ensure finds the daemon running, or starts it, and waits until it answers.
func (c *Containerd) ensure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.StartTimeout)
	defer cancel()
	unlock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if id, ok := recorded(c.layout.pid); ok {
		c.cfg.Logger.Info("containerd taken up", "pid", id.PID, "address", c.layout.socket)
		err := c.answers(ctx, id)
		if err == nil || id.alive() {
			return c.settle(id, err)
		}
		// It was about to end, and has.
	}
	if err := c.layout.writeConfig(); err != nil {
		return err
	}
	id, err := c.layout.spawn(c.program, c.path)
	if err != nil {
		return err
	}
	c.cfg.Logger.Info("containerd started", "pid", id.PID, "address", c.layout.socket)
	return c.settle(id, c.answers(ctx, id))
}

// settle takes a daemon for the one that is watched, unless there is an error.
func (c *Containerd) settle(id identity, err error) error {
	if err == nil {
		c.set(id, nil)
	}
	return err
}

// lock keeps two workers from starting two daemons.
func (c *Containerd) lock(ctx context.Context) (unlock func(), err error) {
	f, err := os.OpenFile(c.layout.lock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("managed containerd: %w", err)
	}
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err != nil && !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, quickly()...)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("managed containerd: lock %s: %w", c.layout.lock, err)
	}
	return func() { f.Close() }, nil
}

// answers returns when containerd's API does.
func (c *Containerd) answers(ctx context.Context, id identity) error {
	conn, err := client.New(c.layout.socket, client.WithTimeout(time.Second))
	if err != nil {
		return fmt.Errorf("managed containerd: %w", err)
	}
	defer conn.Close()
	_, err = backoff.Retry(ctx, func() (struct{}, error) {
		if !id.alive() {
			return struct{}{}, backoff.Permanent(fmt.Errorf("managed containerd: it ended; %s", tail(c.layout.log)))
		}
		if _, err := os.Stat(c.layout.socket); err != nil {
			return struct{}{}, err // asking now would make gRPC wait a second before it asks again
		}
		callCtx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		_, err := conn.Version(callCtx)
		return struct{}{}, err
	}, quickly()...)
	if err != nil {
		return fmt.Errorf("managed containerd: it does not answer on %s: %w", c.layout.socket, err)
	}
	return nil
}

func quickly() []backoff.RetryOption {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval = 5 * time.Millisecond
	policy.MaxInterval = 200 * time.Millisecond
	return []backoff.RetryOption{backoff.WithBackOff(policy), backoff.WithMaxElapsedTime(0)}
}
