package network

import (
	"net/netip"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Request is the network that a container asks for.
type Request struct {
	Network  string // of the spec: default (or empty), host, none, container:<name>
	Hostname string
	DNS      []string          // in place of the machine's resolvers
	Hosts    map[string]string // name -> address
	Ports    []messages.Port   // published

	// Join is what a container joins: the path of a network namespace, and the
	// address in it.
	Join        string
	JoinAddress netip.Addr
}

func (r Request) isDefault() bool {
	return r.Network == "" || r.Network == messages.NetworkDefault
}

// Endpoint is what a container has of its network. Of one that has ended the
// address is gone, and the ports are those of last time.
type Endpoint struct {
	Network   string            `json:"network"`
	Connected bool              `json:"connected"`
	Address   netip.Addr        `json:"address,omitzero"`
	Ports     []messages.Port   `json:"ports,omitzero"`
	Hostname  string            `json:"hostname"`
	Hosts     map[string]string `json:"hosts,omitzero"`
}

// AddressText is the address; "" for none.
func (e Endpoint) AddressText() string {
	if !e.Address.IsValid() {
		return ""
	}
	return e.Address.String()
}
