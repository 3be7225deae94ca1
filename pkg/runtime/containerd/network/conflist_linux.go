package network

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/containernetworking/cni/libcni"
)

// cniVersion is the first in which a plugin can be told what is still valid.
const cniVersion = "1.1.0"

// interfaceName is what a container's interface is called.
const interfaceName = "eth0"

type object = map[string]any

// bridgeNetwork is the default network. Masquerading is not the plugin's: its
// rules would be made and unmade for each container, those of this package are
// there once (see firewall).
func (c Config) bridgeNetwork(subnet netip.Prefix, mtu int, publish bool) (*libcni.NetworkConfigList, error) {
	plugins := []object{{
		"type": "bridge", "bridge": c.bridge(), "mtu": mtu,
		"isGateway": true, "isDefaultGateway": true,
		"hairpinMode": true, // a container may reach its own published port
		"ipam":        c.ipam(subnet),
	}}
	if publish {
		plugins = append(plugins, object{"type": "portmap", "snat": true, "capabilities": object{"portMappings": true}})
	}
	return c.list(plugins)
}

// leases is a network of host-local alone, by which it can be told which of its
// leases still count: bridge does not pass that on.
func (c Config) leases(subnet netip.Prefix) (*libcni.NetworkConfigList, error) {
	return c.list([]object{{"type": "host-local", "ipam": c.ipam(subnet)}})
}

func (c Config) ipam(subnet netip.Prefix) object {
	return object{
		"type": "host-local", "dataDir": c.leasesDir(),
		"ranges": [][]object{{{"subnet": subnet.String()}}},
	}
}

func (c Config) list(plugins []object) (*libcni.NetworkConfigList, error) {
	data, err := json.Marshal(object{"cniVersion": cniVersion, "name": c.name(), "plugins": plugins})
	if err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	list, err := libcni.NetworkConfFromBytes(data)
	if err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	return list, nil
}
