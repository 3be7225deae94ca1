package network

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/vishvananda/netlink"
)

// usedSubnets are the networks that the machine has an address in or a route to,
// but for those of one bridge.
func usedSubnets(bridge string) ([]netip.Prefix, error) {
	own := -1
	if link, err := netlink.LinkByName(bridge); err == nil {
		own = link.Attrs().Index
	}
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("network: list addresses: %w", err)
	}
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("network: list routes: %w", err)
	}
	var used []netip.Prefix
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.IPNet.String()); err == nil && a.LinkIndex != own {
			used = append(used, p.Masked())
		}
	}
	for _, r := range routes {
		if r.Dst == nil || r.LinkIndex == own {
			continue
		}
		if p, err := netip.ParsePrefix(r.Dst.String()); err == nil {
			used = append(used, p.Masked())
		}
	}
	return used, nil
}

// machineMTU is that of the interface with the default route, so that what
// containers send fits through it; 0: the kernel's default.
func machineMTU() int {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return 0
	}
	for _, r := range routes {
		if r.Dst != nil && !r.Dst.IP.IsUnspecified() {
			continue
		}
		if link, err := netlink.LinkByIndex(r.LinkIndex); err == nil {
			return link.Attrs().MTU
		}
	}
	return 0
}

// settleSubnet is the bridge's subnet: the one that is asked for, else the one of
// before, else one that is free.
func (n *Networks) settleSubnet() (netip.Prefix, error) {
	kept, err := n.keptSubnet()
	if err != nil {
		return netip.Prefix{}, err
	}
	wanted := n.cfg.Subnet
	if wanted == (netip.Prefix{}) {
		wanted = kept
	}
	used, err := usedSubnets(n.cfg.bridge())
	if err != nil {
		return netip.Prefix{}, err
	}
	inUse := len(n.Connected()) > 0
	switch {
	case wanted == kept && kept.IsValid() && inUse:
		return kept, nil // it is too late to choose another one
	case wanted == (netip.Prefix{}):
		wanted, err = chooseSubnet(Pool, n.cfg.Instance, used)
	case overlap(wanted, used) == nil:
	case n.cfg.Subnet != (netip.Prefix{}):
		err = fmt.Errorf("subnet: %s overlaps %s, which this machine uses already; want another one, or none, for one that is free: %w", wanted, overlap(wanted, used), errdefs.ErrFailedPrecondition)
	default: // a network that came later
		wanted, err = chooseSubnet(Pool, n.cfg.Instance, used)
	}
	if err == nil && inUse && kept.IsValid() {
		err = fmt.Errorf("subnet: %s cannot take the place of %s while containers are connected to it; stop them first: %w", wanted, kept, errdefs.ErrFailedPrecondition)
	}
	if err != nil || wanted == kept {
		return wanted, err
	}
	if err := n.removeBridge(); err != nil {
		return netip.Prefix{}, err
	}
	return wanted, os.WriteFile(n.cfg.subnetFile(), []byte(wanted.String()+"\n"), 0o644)
}

// keptSubnet is the subnet of before; the zero Prefix: there is none.
func (n *Networks) keptSubnet() (netip.Prefix, error) {
	text, err := os.ReadFile(n.cfg.subnetFile())
	if errors.Is(err, fs.ErrNotExist) {
		return netip.Prefix{}, nil
	}
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("network: %w", err)
	}
	kept, err := netip.ParsePrefix(strings.TrimSpace(string(text)))
	if err == nil {
		err = CheckSubnet(kept)
	}
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("network: %s: %w", n.cfg.subnetFile(), err)
	}
	return kept, nil
}

// removeBridge takes the bridge and its rules away. It may be called again after
// it was cut off at any step.
func (n *Networks) removeBridge() error {
	if err := n.firewall.remove(n.cfg.bridge()); err != nil {
		return fmt.Errorf("network: remove the rules of the bridge %s: %w", n.cfg.bridge(), err)
	}
	link, err := netlink.LinkByName(n.cfg.bridge())
	if _, gone := errors.AsType[netlink.LinkNotFoundError](err); gone {
		return nil
	}
	if err == nil {
		err = netlink.LinkDel(link)
	}
	if err != nil {
		return fmt.Errorf("network: remove the bridge %s: %w", n.cfg.bridge(), err)
	}
	return nil
}
