package messages

import (
	"net/netip"
	"strings"
)

// The networks a container can be on, beside NetworkContainer + a name.
const (
	NetworkDefault   = "default"
	NetworkHost      = "host"
	NetworkNone      = "none"
	NetworkContainer = "container:" // prefix: share the network of that container
)

func (s *Spec) validateNetwork() error {
	return first(
		checkNetwork("network", s.Network),
		hostnameOrNone("hostname", s.Hostname),
		each("dns", s.DNS, func(address *string) error {
			return first(required("", *address, "an IP address"), addressOrNone("", *address))
		}),
		eachKey("extra_hosts", s.ExtraHosts, func(name, address string) error {
			if !validHostname(name) {
				return invalid("", name, hostnameRule)
			}
			if _, err := netip.ParseAddr(address); err != nil {
				return invalid("", address, "an IP address, such as 10.0.0.1 or fd00::1")
			}
			return nil
		}),
	)
}

func checkNetwork(field, network string) error {
	if name, ok := strings.CutPrefix(network, NetworkContainer); ok {
		if !ValidToken(name) {
			return invalid(field, network, "container:<name> with the name of a container, "+tokenRule)
		}
		return nil
	}
	switch network {
	case "", NetworkDefault, NetworkHost, NetworkNone:
		return nil
	}
	return invalid(field, network, "one of default, host, none, container:<name>")
}

const hostnameRule = "a host name of letters, digits, - and ., such as web-1"

func hostnameOrNone(field, name string) error {
	if name == "" || validHostname(name) {
		return nil
	}
	return invalid(field, name, hostnameRule)
}

// validHostname follows RFC 1123: labels of 1 to 63 characters, 253 in all.
func validHostname(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return !isAlphanumeric(r) && r != '-' && r != '_' }) {
			return false
		}
	}
	return true
}
