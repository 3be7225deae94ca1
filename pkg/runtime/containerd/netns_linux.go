package containerd

import (
	"context"
	"fmt"
	"net"
	goruntime "runtime"

	"golang.org/x/sys/unix"
)

// dialIn connects from inside a network namespace, given by its file. A socket
// belongs to the namespace of the thread that makes it, so one thread goes there
// and comes back; should it not come back, it ends with its goroutine.
func dialIn(ctx context.Context, namespace, network, address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		goruntime.LockOSThread()
		conn, back, err := dialThere(ctx, namespace, network, address)
		if back {
			goruntime.UnlockOSThread()
		}
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

// dialThere moves the calling thread; back tells whether it is where it was.
func dialThere(ctx context.Context, namespace, network, address string) (conn net.Conn, back bool, err error) {
	home, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, true, fmt.Errorf("open this thread's network namespace: %w", err)
	}
	defer unix.Close(home)
	there, err := unix.Open(namespace, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, true, fmt.Errorf("open %s: %w", namespace, err)
	}
	defer unix.Close(there)
	if err := unix.Setns(there, unix.CLONE_NEWNET); err != nil {
		return nil, true, fmt.Errorf("enter %s: %w", namespace, err)
	}
	// The address is a number, so the socket is made by this very goroutine.
	conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	back = unix.Setns(home, unix.CLONE_NEWNET) == nil
	return conn, back, err
}
