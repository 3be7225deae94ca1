package network

import (
	"fmt"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// What HNS, Windows' network service, is asked for on account of a container, as
// values: the calls are made in networks_windows.go.

// hnsName is what all endpoints of an instance begin with: HNS keeps no labels,
// so whose an endpoint is has to be in its name.
func hnsName(instance, id string) string { return "shunt-" + instance + "-" + id }

// hnsContainer is the container of an endpoint of this name.
func hnsContainer(instance, name string) (id string, ok bool) {
	id, ok = strings.CutPrefix(name, hnsName(instance, ""))
	return id, ok && id != ""
}

// The numbers of protocols in port mappings.
const (
	hnsTCP = 6
	hnsUDP = 17
)

// hnsMapping is a published port, as HNS takes and tells it.
type hnsMapping struct {
	Protocol                   uint32
	InternalPort, ExternalPort uint16
	VIP                        string // the address it is published on; "": all
}

// hnsMappings are ports, whose host ports are all chosen, as HNS takes them.
func hnsMappings(ports []messages.Port) ([]hnsMapping, error) {
	var out []hnsMapping
	for i, p := range ports {
		m := hnsMapping{InternalPort: p.Container, ExternalPort: p.Host, VIP: p.HostIP}
		if m.VIP == "0.0.0.0" {
			m.VIP = ""
		}
		switch p.Protocol {
		case "", "tcp":
			m.Protocol = hnsTCP
		case "udp":
			m.Protocol = hnsUDP
		default:
			return nil, fmt.Errorf("spec.ports[%d].protocol: %q cannot be published; want tcp or udp: %w", i, p.Protocol, errdefs.ErrInvalidArgument)
		}
		out = append(out, m)
	}
	return out, nil
}

// port is what HNS tells of a mapping in our terms.
func (m hnsMapping) port() messages.Port {
	p := messages.Port{Container: m.InternalPort, Host: m.ExternalPort, Protocol: "tcp", HostIP: m.VIP}
	if m.Protocol == hnsUDP {
		p.Protocol = "udp"
	}
	return p
}

// fillPorts chooses a host port for every one that was left open: from the range
// beside the one that Windows itself gives ports from, one that no mapping has
// and that is free, in an order that begins at a number that differs. A port that
// is named, and that a mapping has on the same address, is an error.
func fillPorts(ports []messages.Port, taken []hnsMapping, start int, free func(messages.Port) bool) ([]messages.Port, error) {
	const dynamicLow, dynamicHigh = 49152, 65535 // Windows' own default
	first, last := portsBeside(dynamicLow, dynamicHigh)
	filled := make([]messages.Port, 0, len(ports))
	for i, p := range ports {
		p.Protocol = orTCP(p.Protocol)
		if p.Host != 0 && isTaken(p, taken) {
			return nil, fmt.Errorf("spec.ports[%d].host: port %d of this node is another container's: %w", i, p.Host, errdefs.ErrUnavailable)
		}
		for n := 0; p.Host == 0; n++ {
			if n > last-first {
				return nil, fmt.Errorf("spec.ports[%d].host: none of the ports from %d to %d is free: %w", i, first, last, errdefs.ErrUnavailable)
			}
			try := p
			try.Host = uint16(first + (start+n)%(last-first+1))
			if !isTaken(try, taken) && free(try) {
				p = try
			}
		}
		chosen, err := hnsMappings([]messages.Port{p})
		if err != nil {
			return nil, err
		}
		taken = append(taken, chosen...)
		filled = append(filled, p)
	}
	return filled, nil
}

func orTCP(protocol string) string {
	if protocol == "" {
		return "tcp"
	}
	return protocol
}

// isTaken tells whether one of the mappings has the port, on an address that is
// the same, or on all.
func isTaken(p messages.Port, taken []hnsMapping) bool {
	for _, m := range taken {
		t := m.port()
		all := m.VIP == "" || p.HostIP == "" || p.HostIP == "0.0.0.0"
		if t.Host == p.Host && t.Protocol == p.Protocol && (all || m.VIP == p.HostIP) {
			return true
		}
	}
	return false
}

// hnsLeaks are the containers that do not run and of which endpoints, by their
// names, or namespaces, by their files, are still there.
func hnsLeaks(instance string, endpoints, namespaces []string, running func(id string) bool) []string {
	var out []string
	seen := map[string]bool{}
	add := func(id string) {
		if !running(id) && !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	for _, name := range endpoints {
		if id, ok := hnsContainer(instance, name); ok {
			add(id)
		}
	}
	for _, id := range namespaces {
		add(id)
	}
	return out
}
