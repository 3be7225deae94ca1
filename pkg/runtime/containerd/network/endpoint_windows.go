package network

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"

	"github.com/Microsoft/hcsshim/hcn"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (n *Networks) networkName() string { return n.cfg.name() }

// makeEndpoint makes the container's endpoint, with its ports, on the node's
// network.
func (n *Networks) makeEndpoint(id string, req Request) (*hcn.HostComputeEndpoint, error) {
	n.making.Lock()
	defer n.making.Unlock()
	network, err := n.network()
	if err != nil {
		return nil, err
	}
	taken, err := takenPorts()
	if err != nil {
		return nil, err
	}
	ports, err := fillPorts(req.Ports, taken, rand.IntN(1<<15), isFree)
	if err != nil {
		return nil, err
	}
	policies, err := portPolicies(ports)
	if err != nil {
		return nil, err
	}
	endpoint, err := network.CreateEndpoint(&hcn.HostComputeEndpoint{
		Name: n.endpointName(id), Policies: policies, Dns: hcn.Dns{ServerList: req.DNS}, SchemaVersion: hcn.V2SchemaVersion(),
	})
	if err != nil {
		return nil, hnsError("make an endpoint", err)
	}
	return endpoint, nil
}

// network is the node's, made when it is not there. HNS chooses its subnet when
// none is given.
func (n *Networks) network() (*hcn.HostComputeNetwork, error) {
	network, err := hcn.GetNetworkByName(n.networkName())
	if err == nil {
		return network, nil
	}
	if !hcn.IsNotFoundError(err) {
		return nil, hnsError("look for the network", err)
	}
	wanted := &hcn.HostComputeNetwork{Name: n.networkName(), Type: hcn.NAT, SchemaVersion: hcn.V2SchemaVersion()}
	if n.cfg.Subnet.IsValid() {
		wanted.Ipams = []hcn.Ipam{{Type: "Static", Subnets: []hcn.Subnet{subnet(n.cfg.Subnet)}}}
	}
	network, err = wanted.Create()
	if err != nil {
		return nil, hnsError("make a NAT network", err)
	}
	return network, nil
}

// subnet has its first address for a gateway.
func subnet(p netip.Prefix) hcn.Subnet {
	return hcn.Subnet{
		IpAddressPrefix: p.String(),
		Routes:          []hcn.Route{{NextHop: p.Addr().Next().String(), DestinationPrefix: "0.0.0.0/0"}},
	}
}

func portPolicies(ports []messages.Port) ([]hcn.EndpointPolicy, error) {
	mappings, err := hnsMappings(ports)
	if err != nil {
		return nil, err
	}
	var out []hcn.EndpointPolicy
	for _, m := range mappings {
		settings, err := json.Marshal(hcn.PortMappingPolicySetting{
			Protocol: m.Protocol, InternalPort: m.InternalPort, ExternalPort: m.ExternalPort, VIP: m.VIP,
		})
		if err != nil {
			return nil, fmt.Errorf("spec.ports: %w", err)
		}
		out = append(out, hcn.EndpointPolicy{Type: hcn.PortMapping, Settings: settings})
	}
	return out, nil
}

// mappingsOf are the ports that an endpoint publishes.
func mappingsOf(e hcn.HostComputeEndpoint) []hnsMapping {
	var out []hnsMapping
	for _, p := range e.Policies {
		var m hcn.PortMappingPolicySetting
		if p.Type != hcn.PortMapping || json.Unmarshal(p.Settings, &m) != nil {
			continue // of another kind
		}
		out = append(out, hnsMapping{Protocol: m.Protocol, InternalPort: m.InternalPort, ExternalPort: m.ExternalPort, VIP: m.VIP})
	}
	return out
}

// takenPorts are those of all endpoints of the machine, whoever made them.
func takenPorts() ([]hnsMapping, error) {
	endpoints, err := hcn.ListEndpoints()
	if err != nil {
		return nil, hnsError("list endpoints", err)
	}
	var out []hnsMapping
	for _, e := range endpoints {
		out = append(out, mappingsOf(e)...)
	}
	return out, nil
}

// isFree tells whether no program has the port. It is tried.
func isFree(p messages.Port) bool {
	address := net.JoinHostPort(p.HostIP, strconv.Itoa(int(p.Host)))
	if p.Protocol == "udp" {
		c, err := net.ListenPacket("udp4", address)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}
	l, err := net.Listen("tcp4", address)
	if err != nil {
		return false
	}
	return l.Close() == nil
}
