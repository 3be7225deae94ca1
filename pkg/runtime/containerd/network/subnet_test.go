package network

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
)

func prefixes(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range texts {
		out = append(out, netip.MustParsePrefix(t))
	}
	return out
}

func TestChosenSubnetOverlapsNothing(t *testing.T) {
	pool := netip.MustParsePrefix("10.208.0.0/22")
	used := prefixes("0.0.0.0/0", "10.208.0.0/24", "10.208.2.0/23", "192.0.2.0/24")
	for _, instance := range []string{"a", "b", "c", "d"} {
		got, err := chooseSubnet(pool, instance, used)
		if err != nil || got.String() != "10.208.1.0/24" {
			t.Errorf("instance %s: %v, %v, want the one that is left, 10.208.1.0/24", instance, got, err)
		}
	}
	if got, err := chooseSubnet(pool, "a", append(used, prefixes("10.208.1.128/25")...)); !errdefs.IsResourceExhausted(err) {
		t.Errorf("from a full pool: %v, %v, want ResourceExhausted", got, err)
	}
	one, _ := chooseSubnet(Pool, "one", nil)
	two, _ := chooseSubnet(Pool, "two", nil)
	if one == two || one.Bits() != subnetBits || !Pool.Overlaps(one) {
		t.Errorf("two instances chose %v and %v, want different ones of %v", one, two, Pool)
	}
}

func TestBadSubnetsAreRefused(t *testing.T) {
	for _, good := range prefixes("10.0.0.0/8", "192.0.2.0/29") {
		if err := CheckSubnet(good); err != nil {
			t.Errorf("%v: %v", good, err)
		}
	}
	for _, bad := range prefixes("10.0.0.1/24", "10.0.0.0/7", "192.0.2.0/30", "fd00::/64") {
		if err := CheckSubnet(bad); !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), bad.String()) {
			t.Errorf("%v: %v, want InvalidArgument that names it", bad, err)
		}
	}
}
