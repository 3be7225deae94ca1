package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	cgroupRoot = "/sys/fs/cgroup"
	prepared   = "NODE_CGROUPS" // in the environment of the program that goes on
)

// ownCgroups gives the machine a cgroup tree that begins at its own cgroup, and
// may be written. Docker mounts it for reading only, and on version 1 of
// cgroups shows the host's whole tree, in which two machines' containers of the
// same name would share a cgroup.
//
// A namespace belongs to a thread, and Go has many; so the program begins anew
// on the one that entered it. It returns only in that second life, or on error.
func ownCgroups() error {
	if os.Getenv(prepared) != "" {
		return os.Unsetenv(prepared)
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("a cgroup namespace of its own: %w", err)
	}
	hierarchies, err := v1Hierarchies()
	if err != nil {
		return err
	}
	if len(hierarchies) > 0 {
		err = mountV1(hierarchies)
	} else {
		err = mountV2()
	}
	if err != nil {
		return err
	}
	err = unix.Exec("/proc/self/exe", os.Args, append(os.Environ(), prepared+"=yes"))
	return fmt.Errorf("begin anew: %w", err)
}

// v1Hierarchies are the controllers of each hierarchy of version 1.
func v1Hierarchies() ([]string, error) {
	data, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && fields[1] != "" {
			out = append(out, fields[1])
		}
	}
	return out, nil
}

func mountV1(hierarchies []string) error {
	if err := unix.Mount("tmpfs", cgroupRoot, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=755"); err != nil {
		return fmt.Errorf("mount %s: %w", cgroupRoot, err)
	}
	for _, controllers := range hierarchies {
		name, named := strings.CutPrefix(controllers, "name=")
		dir, options := filepath.Join(cgroupRoot, name), controllers
		if named {
			options = "none," + controllers
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("cgroup", dir, "cgroup", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, options); err != nil {
			return fmt.Errorf("mount %s with %s: %w", dir, options, err)
		}
	}
	return nil
}

// mountV2 mounts the one hierarchy of version 2, and hands its controllers down,
// which a cgroup can do only when no process is in it.
func mountV2() error {
	if err := unix.Mount("cgroup", cgroupRoot, "cgroup2", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount %s: %w", cgroupRoot, err)
	}
	own := filepath.Join(cgroupRoot, "machine")
	if err := os.MkdirAll(own, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(own, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return fmt.Errorf("move into %s: %w", own, err)
	}
	controllers, err := os.ReadFile(filepath.Join(cgroupRoot, "cgroup.controllers"))
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(string(controllers)) {
		if err := os.WriteFile(filepath.Join(cgroupRoot, "cgroup.subtree_control"), []byte("+"+name), 0); err != nil {
			return fmt.Errorf("hand the controller %s down: %w", name, err)
		}
	}
	return nil
}
