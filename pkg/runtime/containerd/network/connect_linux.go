package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/containernetworking/cni/libcni"
	current "github.com/containernetworking/cni/pkg/types/100"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Prepare makes what runc is told of: the network namespace and the files in
// /etc. What the container's last start has left goes first. The plugins, which
// take longer, are Connect's.
func (n *Networks) Prepare(ctx context.Context, id string, req Request) error {
	last, err := n.Endpoint(id)
	if err != nil {
		n.log.Warn("what a container last had of its network is not known", "container", id, "error", err)
	}
	if err := n.Disconnect(ctx, id); err != nil {
		return err
	}
	if err := os.MkdirAll(n.cfg.dir(id), 0o711); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	if err := n.writeFiles(id, req); err != nil {
		return err
	}
	e := Endpoint{Network: req.Network, Hostname: req.Hostname, Hosts: req.Hosts}
	switch {
	case req.Join != "":
		e.Address, e.Connected = req.JoinAddress, true
		err = pin(req.Join, n.cfg.namespace(id))
	case req.isDefault():
		if err = pinNew(n.cfg.namespace(id)); err == nil {
			e.Ports, err = n.claim(id, req.Ports, last.Ports)
		}
	default:
		e.Connected = true
	}
	if err != nil {
		return err
	}
	return n.write(id, e)
}

func (n *Networks) claim(id string, ports, last []messages.Port) ([]messages.Port, error) {
	if len(ports) == 0 {
		return nil, nil
	}
	unlock, err := n.ports.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	return n.ports.claim(n.cfg.namespace(id), ports, last)
}

// Connect gives a container that is prepared its address and publishes its
// ports. A container on another network than the default one has what it needs.
func (n *Networks) Connect(ctx context.Context, id string) error {
	e, err := n.Endpoint(id)
	if err != nil || e.Connected || !e.isDefault() {
		return err
	}
	if e.Address, err = n.add(ctx, id, e.Ports); err != nil {
		return fmt.Errorf("network: connect to the bridge %s: %w", n.cfg.bridge(), err)
	}
	hosts := hostsFile("", e.Hostname, e.Address, e.Hosts)
	if err := os.WriteFile(n.cfg.file(id, Hosts), []byte(hosts), 0o644); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	e.Connected = true
	return n.write(id, e)
}

// add runs the plugins. Those that publish ports take turns with all others on
// the machine, since they share chains of the packet filter.
func (n *Networks) add(ctx context.Context, id string, ports []messages.Port) (netip.Addr, error) {
	l, first, err := n.open()
	if err != nil {
		return netip.Addr{}, err
	}
	defer first()
	list := l.plain
	if len(ports) > 0 {
		list = l.publish
		unlock, err := n.ports.lock()
		if err != nil {
			return netip.Addr{}, err
		}
		defer unlock()
	}
	result, err := n.cni.AddNetworkList(ctx, list, n.runtimeConf(id, ports))
	if err != nil {
		return netip.Addr{}, classify(l.subnet, err)
	}
	r, err := current.NewResultFromResult(result)
	if err != nil || len(r.IPs) == 0 {
		return netip.Addr{}, errors.Join(err, fmt.Errorf("the plugins gave no address: %w", errdefs.ErrUnavailable))
	}
	address, _ := netip.AddrFromSlice(r.IPs[0].Address.IP)
	return address.Unmap(), nil
}

// open settles the network and makes sure of its rules. The first containers
// take turns until done is called, since the plugin that makes the bridge does
// not bear company.
func (n *Networks) open() (l *lists, done func(), err error) {
	n.bridge.Lock()
	known := n.ready != nil
	if l, err = n.settled(); err != nil {
		n.bridge.Unlock()
		return nil, nil, err
	}
	n.letOut(l.subnet)
	if known {
		n.bridge.Unlock()
		return l, func() {}, nil
	}
	return l, n.bridge.Unlock, nil
}

// letOut makes sure of the rules by which containers reach what is beyond the
// machine. Those that cannot be made now are tried again with the next container.
func (n *Networks) letOut(subnet netip.Prefix) {
	news, err := n.firewall.ensure(rulesFor(n.cfg.bridge(), subnet))
	switch {
	case news && err != nil:
		n.log.Warn("containers have addresses, but reach nothing beyond this machine, and cannot publish ports", "bridge", n.cfg.bridge(), "subnet", subnet, "error", err)
	case news:
		n.log.Info("containers reach what is beyond this machine again", "bridge", n.cfg.bridge(), "subnet", subnet)
	}
}

// classify gives an error of the plugins its class: an address may become free.
func classify(subnet netip.Prefix, err error) error {
	if strings.Contains(err.Error(), "no IP addresses available") {
		return fmt.Errorf("every address of %s is in use; a larger subnet is named with --subnet: %w: %w", subnet, errdefs.ErrResourceExhausted, err)
	}
	return fmt.Errorf("%w: %w", errdefs.ErrUnavailable, err)
}

func (n *Networks) runtimeConf(id string, ports []messages.Port) *libcni.RuntimeConf {
	conf := &libcni.RuntimeConf{ContainerID: id, NetNS: n.cfg.namespace(id), IfName: interfaceName}
	if len(ports) > 0 {
		conf.CapabilityArgs = object{"portMappings": mappings(ports)}
	}
	return conf
}

func mappings(ports []messages.Port) []object {
	var out []object
	for _, p := range ports {
		out = append(out, object{"hostPort": p.Host, "containerPort": p.Container, "protocol": p.Protocol, "hostIP": p.HostIP})
	}
	return out
}

// Disconnect gives a container's address and ports back and lets its namespace
// go. The files in its /etc stay. It may be called again.
func (n *Networks) Disconnect(ctx context.Context, id string) error {
	namespace := n.cfg.namespace(id)
	if _, err := os.Lstat(namespace); err != nil {
		return nil // it is the first that is made, and the last that goes
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	e, err := n.Endpoint(id)
	if err != nil {
		return err
	}
	if !isPinned(namespace) {
		if err := unpin(namespace); err != nil { // the plugins take no file for a namespace
			return err
		}
	}
	if e.isDefault() {
		if err := n.remove(ctx, id, e.Ports); err != nil {
			return err
		}
	}
	e.Address, e.Connected = netip.Addr{}, false
	return errors.Join(n.write(id, e), n.ports.release(namespace), unpin(namespace))
}

func (n *Networks) remove(ctx context.Context, id string, ports []messages.Port) error {
	n.bridge.Lock()
	l, err := n.settled()
	n.bridge.Unlock()
	if err != nil {
		return err
	}
	list := l.plain
	if len(ports) > 0 {
		list = l.publish
	}
	if err := n.cni.DelNetworkList(ctx, list, n.runtimeConf(id, ports)); err != nil {
		return fmt.Errorf("network: disconnect from the bridge %s: %w", n.cfg.bridge(), err)
	}
	return nil
}

// Forget is Disconnect, and takes the container's files away.
func (n *Networks) Forget(ctx context.Context, id string) error {
	if err := n.Disconnect(ctx, id); err != nil {
		return err
	}
	if err := os.RemoveAll(n.cfg.dir(id)); err != nil {
		return fmt.Errorf("network: %w", err)
	}
	return nil
}
