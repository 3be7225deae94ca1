package network

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net/netip"

	"github.com/containerd/errdefs"
)

// Pool is where subnets are chosen from. It keeps clear of the ranges that
// Docker, Podman and the usual Kubernetes networks take.
var Pool = netip.MustParsePrefix("10.208.0.0/12")

// subnetBits is the size of a chosen subnet: 253 containers.
const subnetBits = 24

// CheckSubnet refuses what no bridge can have. The zero Prefix is one that is
// to be chosen.
func CheckSubnet(p netip.Prefix) error {
	if p == (netip.Prefix{}) {
		return nil
	}
	if !p.IsValid() || !p.Addr().Is4() || p != p.Masked() || p.Bits() < 8 || p.Bits() > 29 {
		return fmt.Errorf("%s is not an IPv4 network from /8 to /29, such as 10.208.7.0/24: %w", p, errdefs.ErrInvalidArgument)
	}
	return nil
}

// chooseSubnet is a subnet of the pool that overlaps none of those in use.
// Instances begin to look at different places, so that two that choose at the
// same time hardly choose the same.
func chooseSubnet(pool netip.Prefix, instance string, used []netip.Prefix) (netip.Prefix, error) {
	hash := fnv.New32a()
	hash.Write([]byte(instance))
	count := uint32(1) << (subnetBits - pool.Bits())
	base := binary.BigEndian.Uint32(pool.Addr().AsSlice())
	for i := range count {
		n := (hash.Sum32() + i) % count
		var addr [4]byte
		binary.BigEndian.PutUint32(addr[:], base+n<<(32-subnetBits))
		subnet := netip.PrefixFrom(netip.AddrFrom4(addr), subnetBits)
		if overlap(subnet, used) == nil {
			return subnet, nil
		}
	}
	return netip.Prefix{}, fmt.Errorf("no /%d of %s is free on this machine; name a subnet with --subnet: %w", subnetBits, pool, errdefs.ErrResourceExhausted)
}

// overlap is one of the prefixes that a subnet overlaps, or nil. A default route
// overlaps nothing.
func overlap(subnet netip.Prefix, used []netip.Prefix) *netip.Prefix {
	for i, u := range used {
		if u.Bits() > 0 && u.Overlaps(subnet) {
			return &used[i]
		}
	}
	return nil
}
