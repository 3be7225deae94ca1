package network

import (
	"net/netip"
	"strings"
	"testing"
)

func TestHostsFile(t *testing.T) {
	extra := map[string]string{"db": "192.0.2.7", "cache": "fd00::7"}
	own := hostsFile("", "web", netip.MustParseAddr("10.208.0.2"), extra)
	if !strings.HasPrefix(own, "127.0.0.1\tlocalhost\n") || !strings.HasSuffix(own, "10.208.0.2\tweb\nfd00::7\tcache\n192.0.2.7\tdb\n") {
		t.Errorf("hosts of a container with an address: %q", own)
	}
	shared := hostsFile("127.0.0.1 localhost\n192.0.2.1 gate", "web", netip.Addr{}, nil)
	if shared != "127.0.0.1 localhost\n192.0.2.1 gate\n127.0.1.1\tweb\n" {
		t.Errorf("hosts on the machine's network: %q", shared)
	}
}

func TestResolvFile(t *testing.T) {
	const machine = "search example.test\nnameserver 127.0.0.53\nnameserver 192.0.2.53\noptions edns0"
	for name, c := range map[string]struct {
		dns    []string
		shared bool
		want   string
	}{
		"the machine's":              {nil, false, "search example.test\nnameserver 192.0.2.53\noptions edns0\n"},
		"on the machine's network":   {nil, true, "search example.test\nnameserver 127.0.0.53\nnameserver 192.0.2.53\noptions edns0\n"},
		"the job's":                  {[]string{"192.0.2.9", "fd00::9"}, false, "search example.test\noptions edns0\nnameserver 192.0.2.9\nnameserver fd00::9\n"},
		"the job's on the machine's": {[]string{"127.0.0.1"}, true, "search example.test\noptions edns0\nnameserver 127.0.0.1\n"},
	} {
		if got := resolvFile(machine, c.dns, c.shared); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if hasNameserver("nameserver 127.0.0.53\n") || !hasNameserver(machine) {
		t.Error("a resolver on the loopback counts, or another one does not")
	}
}
