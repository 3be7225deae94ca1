package census

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
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

// network counts what is connected to the place's bridge, and, if there is a
// program to list them, the rules of the packet filter that name the bridge or
// an address of it. The machine may have other bridges, which come and go.
func (c Census) network(p Place) error {
	if p.Bridge == "" {
		return nil
	}
	ports, err := os.ReadDir(filepath.Join("/sys/class/net", p.Bridge, "brif"))
	if err := ignoreGone(err); err != nil {
		return err
	}
	for _, port := range ports {
		c.add("link", port.Name())
	}
	names, err := addressesOf(p.Bridge)
	if err != nil {
		return err
	}
	for _, program := range []string{"iptables-save", "ip6tables-save"} {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		rules, err := exec.Command(path).Output()
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(rules)) {
			if slices.ContainsFunc(names, func(name string) bool { return strings.Contains(line, name) }) {
				c.add(program, strings.TrimSpace(line))
			}
		}
	}
	return nil
}

// addressesOf is how a rule may name a bridge: by its name, or by how the
// addresses of its network, a /24, begin.
func addressesOf(bridge string) ([]string, error) {
	link, err := net.InterfaceByName(bridge)
	if err != nil {
		return nil, err
	}
	addrs, err := link.Addrs()
	if err != nil {
		return nil, err
	}
	names := []string{bridge}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			text := n.IP.String()
			names = append(names, text[:strings.LastIndexByte(text, '.')+1])
		}
	}
	return names, nil
}

// BridgeOf is the bridge in whose network an address is.
func BridgeOf(ip netip.Addr) (string, error) {
	links, err := net.Interfaces()
	if err != nil {
		return "", err
	}
	for _, l := range links {
		addrs, err := l.Addrs()
		if err != nil {
			continue // it has just gone
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && n.Contains(ip.AsSlice()) {
				return l.Name, nil
			}
		}
	}
	return "", fmt.Errorf("census: no link has the network of %s", ip)
}
