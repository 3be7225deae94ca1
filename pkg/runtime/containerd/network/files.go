package network

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// The files of a container's /etc that are made for it.
const (
	Hosts    = "hosts"
	Resolv   = "resolv.conf"
	Hostname = "hostname"
)

// hostsFile is a container's /etc/hosts: what the machine's has, on its network,
// or the usual names of the loopback; then the container's own; then the job's.
func hostsFile(machine string, hostname string, own netip.Addr, extra map[string]string) string {
	var b strings.Builder
	if machine == "" {
		machine = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
	}
	b.WriteString(strings.TrimRight(machine, "\n") + "\n")
	if !own.IsValid() {
		own = netip.AddrFrom4([4]byte{127, 0, 1, 1}) // as machines without an address of their own have it
	}
	fmt.Fprintf(&b, "%s\t%s\n", own, hostname)
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		fmt.Fprintf(&b, "%s\t%s\n", extra[name], name)
	}
	return b.String()
}

// resolvFile is a container's /etc/resolv.conf: the machine's, with the job's
// resolvers in place of its own. A container on another network than the
// machine's does not reach the resolvers on its loopback, and these go.
func resolvFile(machine string, dns []string, shared bool) string {
	var b strings.Builder
	for line := range strings.Lines(machine) {
		server, ok := nameserver(line)
		if ok && (len(dns) > 0 || (!shared && server.IsLoopback())) {
			continue
		}
		b.WriteString(strings.TrimRight(line, "\n") + "\n")
	}
	for _, server := range dns {
		fmt.Fprintf(&b, "nameserver %s\n", server)
	}
	return b.String()
}

// hasNameserver tells whether a resolv.conf names a resolver that a container can
// reach.
func hasNameserver(resolv string) bool {
	for line := range strings.Lines(resolv) {
		if server, ok := nameserver(line); ok && !server.IsLoopback() {
			return true
		}
	}
	return false
}

func nameserver(line string) (server netip.Addr, ok bool) {
	words := strings.Fields(line)
	if len(words) < 2 || words[0] != "nameserver" {
		return netip.Addr{}, false
	}
	server, err := netip.ParseAddr(words[1])
	return server, err == nil
}
