package network

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	goruntime "runtime"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// pinNew makes a network namespace with its loopback up and pins it to a file.
func pinNew(path string) error {
	return onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("new network namespace: %w", err)
		}
		lo, err := netlink.LinkByName("lo")
		if err == nil {
			err = netlink.LinkSetUp(lo)
		}
		if err != nil {
			return fmt.Errorf("loopback of a new network namespace: %w", err)
		}
		return pin(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), path)
	})
}

// onThread runs f on a thread that ends with it, and takes its namespace along.
// The first thread of the process cannot end, and its namespace is what
// /proc/self tells of.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		goruntime.LockOSThread() // and never unlocked: nobody else may get the thread
		if unix.Gettid() == unix.Getpid() {
			defer goruntime.UnlockOSThread()
			done <- onThread(f) // on another one, as this one is held
			return
		}
		done <- f()
	}()
	return <-done
}

// pin keeps a namespace for as long as the file is there.
func pin(namespace, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o400)
	if err != nil {
		return fmt.Errorf("pin a network namespace: %w", err)
	}
	f.Close()
	if err := unix.Mount(namespace, path, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("pin a network namespace: mount %s: %w", path, err)
	}
	return nil
}

// unpin lets a namespace go, and removes its file. It may be called again.
func unpin(path string) error {
	err := unix.Unmount(path, unix.MNT_DETACH)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unpin a network namespace: unmount %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unpin a network namespace: %w", err)
	}
	return nil
}

// isPinned tells a namespace from the mere file that a reboot, or a kill between
// two steps, leaves of it.
func isPinned(path string) bool {
	var s unix.Statfs_t
	return unix.Statfs(path, &s) == nil && s.Type == unix.NSFS_MAGIC
}
