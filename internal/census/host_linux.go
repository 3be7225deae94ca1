package census

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mentions tells whether a text names one of the place's directories.
func (p Place) mentions(text string) bool {
	for _, dir := range p.Dirs {
		if strings.Contains(text, dir) {
			return true
		}
	}
	return false
}

// mounts counts those of, and from, the place's directories.
func (c Census) mounts(p Place) error {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Fields(line) // proc(5): the fifth is the mount point
		if len(fields) > 4 && p.mentions(line) {
			c.add("mount", fields[4])
		}
	}
	return nil
}

// processes counts those that work for the place (shims, loggers, what they
// start) and those in its cgroups, but for this one.
func (c Census) processes(p Place) error {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if filepath.Base(dir) == strconv.Itoa(os.Getpid()) {
			continue
		}
		command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue // it has ended
		}
		groups, err := os.ReadFile(filepath.Join(dir, "cgroup"))
		if err != nil {
			continue
		}
		args := strings.Split(string(command), "\x00")
		ours := p.mentions(string(command)) || p.Address != "" && slices.Contains(args, p.Address)
		if slices.Contains(args, "-namespace") && !slices.Contains(args, p.Namespace) {
			ours = false // another namespace's shim
		}
		if ours || p.CgroupParent != "" && strings.Contains(string(groups), ":"+p.CgroupParent+"/") {
			c.add("process", strings.Join(args, " "))
		}
	}
	return nil
}

// files counts what is below the place's directories. What is gone while it is
// looked at does not count.
func (c Census) files(p Place) error {
	for _, dir := range p.Dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return ignoreGone(err)
			}
			c.add("file", path)
			if d.IsDir() && slices.Contains(p.Skip, path) {
				return fs.SkipDir
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

const cgroupRoot = "/sys/fs/cgroup"

// cgroups counts those below the parent, in each hierarchy that there is.
func (c Census) cgroups(p Place) error {
	if p.CgroupParent == "" {
		return nil
	}
	roots, err := filepath.Glob(cgroupRoot + "/*" + p.CgroupParent) // v1: one for each controller
	if err != nil {
		return err
	}
	for _, root := range append(roots, cgroupRoot+p.CgroupParent) {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return ignoreGone(err)
			}
			if d.IsDir() && path != root {
				c.add("cgroup", path)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// network counts the machine's links, network namespaces with a name, and, if
// there is a program to list them, the rules of its packet filter.
func (c Census) network(p Place) error {
	if !p.Network {
		return nil
	}
	links, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, l := range links {
		c.add("link", l.Name)
	}
	for _, dir := range []string{"/run/netns", "/run/docker/netns"} {
		entries, err := os.ReadDir(dir)
		if err := ignoreGone(err); err != nil {
			return err
		}
		for _, e := range entries {
			c.add("netns", filepath.Join(dir, e.Name()))
		}
	}
	for _, program := range []string{"iptables-save", "ip6tables-save"} {
		if path, err := exec.LookPath(program); err == nil {
			rules, err := exec.Command(path).Output()
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(rules)) {
				if strings.HasPrefix(line, "-A ") {
					c.add(program, strings.TrimSpace(line))
				}
			}
		}
	}
	return nil
}
