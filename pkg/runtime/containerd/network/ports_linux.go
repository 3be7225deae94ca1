package network

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// portTable is who has published which host port, for all workers of a machine:
// a published port is a rule of the packet filter, so an attempt to bind it does
// not tell. Each port is a file, `<protocol>-<port>-<address>`, that holds the
// path of the namespace it leads to, and means nothing once that is gone.
type portTable struct{ dir string }

// lock keeps the other workers out until unlock.
func (t portTable) lock() (unlock func(), err error) {
	if err := os.MkdirAll(t.dir, 0o755); err != nil {
		return nil, fmt.Errorf("published ports: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(t.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("published ports: %w", err)
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("published ports: lock %s: %w", f.Name(), err)
	}
	return func() { f.Close() }, nil
}

// claim takes host ports for a namespace, all or none, and is them with every
// one that was left open filled in. Those of last are tried first, so that a
// container that starts again keeps its port if it can. The table is locked.
func (t portTable) claim(namespace string, ports, last []messages.Port) (claimed []messages.Port, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, t.release(namespace))
		}
	}()
	claimed = make([]messages.Port, len(ports))
	for i, p := range ports {
		p.Protocol = firstOf(p.Protocol, "tcp")
		if err := checkHostIP(p.HostIP); err != nil {
			return nil, fmt.Errorf("spec.ports[%d].host_ip: %w", i, err)
		}
		if p.Host != 0 {
			if err := t.take(namespace, p); err != nil {
				return nil, fmt.Errorf("spec.ports[%d].host: %d/%s is taken on this machine (%w); want another port, or 0 for one that is free: %w", i, p.Host, p.Protocol, err, errdefs.ErrUnavailable)
			}
		} else if p.Host, err = t.takeFree(namespace, p, i, last); err != nil {
			return nil, fmt.Errorf("spec.ports[%d].host: %w", i, err)
		}
		claimed[i] = p
	}
	return claimed, nil
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// checkHostIP refuses an address that is not this machine's: nothing sent to it
// would come.
func checkHostIP(text string) error {
	if text == "" {
		return nil
	}
	ip, err := netip.ParseAddr(text)
	if err != nil || !ip.Is4() {
		return fmt.Errorf("%q is not an IPv4 address; want one of this machine, or 0.0.0.0 for all: %w", text, errdefs.ErrInvalidArgument)
	}
	if ip.IsUnspecified() {
		return nil
	}
	l, err := net.ListenPacket("udp4", net.JoinHostPort(text, "0"))
	if err != nil {
		return fmt.Errorf("%s is no address of this machine; want one of its own, or 0.0.0.0 for all: %w", text, errdefs.ErrInvalidArgument)
	}
	return l.Close()
}

// takeFree takes a port that is free: the one of last time, else any of those that
// are not the kernel's to give away.
func (t portTable) takeFree(namespace string, p messages.Port, i int, last []messages.Port) (uint16, error) {
	if i < len(last) && last[i].Container == p.Container && firstOf(last[i].Protocol, "tcp") == p.Protocol && last[i].Host != 0 {
		p.Host = last[i].Host
		if t.take(namespace, p) == nil {
			return p.Host, nil
		}
	}
	low, high := portsBeside(ephemeralPorts())
	var err error
	for range 64 {
		p.Host = uint16(low + rand.IntN(high-low+1))
		if err = t.take(namespace, p); err == nil {
			return p.Host, nil
		}
	}
	return 0, fmt.Errorf("no port is free on this machine: %w: %w", err, errdefs.ErrResourceExhausted)
}

// take takes the port that p names.
func (t portTable) take(namespace string, p messages.Port) error {
	if err := bind(p); err != nil {
		return err
	}
	return t.note(namespace, p)
}

// bind tries a host port, and lets it go again.
func bind(p messages.Port) error {
	at := net.JoinHostPort(firstOf(p.HostIP, "0.0.0.0"), strconv.Itoa(int(p.Host)))
	if p.Protocol == "udp" {
		l, err := net.ListenPacket("udp4", at)
		if err != nil {
			return err
		}
		return l.Close()
	}
	l, err := net.Listen("tcp4", at)
	if err != nil {
		return err
	}
	return l.Close()
}

// note writes a claim, unless a live one of another container is in its way.
func (t portTable) note(namespace string, p messages.Port) error {
	prefix := p.Protocol + "-" + strconv.Itoa(int(p.Host)) + "-"
	ip := firstOf(p.HostIP, "0.0.0.0")
	claims, err := t.claims()
	if err != nil {
		return err
	}
	for name, owner := range claims {
		other, ok := strings.CutPrefix(name, prefix)
		if !ok || (other != ip && other != "0.0.0.0" && ip != "0.0.0.0") || !isPinned(owner) {
			continue
		}
		return fmt.Errorf("published by the container %s", filepath.Base(filepath.Dir(owner)))
	}
	if err := os.WriteFile(filepath.Join(t.dir, prefix+ip), []byte(namespace), 0o644); err != nil {
		return fmt.Errorf("published ports: %w", err)
	}
	return nil
}

// claims are the owners of published ports, by their files' names.
func (t portTable) claims() (map[string]string, error) {
	entries, err := os.ReadDir(t.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("published ports: %w", err)
	}
	claims := map[string]string{}
	for _, e := range entries {
		if strings.Count(e.Name(), "-") != 2 {
			continue // the lock
		}
		owner, err := os.ReadFile(filepath.Join(t.dir, e.Name()))
		if err == nil {
			claims[e.Name()] = string(owner)
		}
	}
	return claims, nil
}

// release gives back what was claimed for a namespace.
func (t portTable) release(namespace string) error {
	return t.drop(func(owner string) bool { return owner == namespace })
}

// sweep gives back what was claimed for namespaces below dir that are gone.
func (t portTable) sweep(dir string) error {
	return t.drop(func(owner string) bool { return strings.HasPrefix(owner, dir+"/") && !isPinned(owner) })
}

func (t portTable) drop(which func(owner string) bool) error {
	claims, err := t.claims()
	if err != nil {
		return err
	}
	var errs []error
	for name, owner := range claims {
		if !which(owner) {
			continue
		}
		if err := os.Remove(filepath.Join(t.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("published ports: %w", err))
		}
	}
	return errors.Join(errs...)
}
