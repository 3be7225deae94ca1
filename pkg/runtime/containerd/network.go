//go:build linux || windows

package containerd

import (
	"context"
	"net/netip"
	"path/filepath"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/network"
)

// network is where the networks of the node's containers are kept.
func (c Config) network() network.Config {
	return network.Config{
		Instance: c.instance(), StateDir: filepath.Join(c.StateDir, "network"), RunDir: filepath.Join(c.RunDir, "network"),
		Plugins: c.CNIPlugins, Subnet: c.Subnet, Logger: c.Logger,
	}
}

func onBridge(spec *messages.Spec) bool {
	return spec.Network == "" || spec.Network == messages.NetworkDefault
}

// endpoint is the network of a container that runs; the zero Endpoint of one
// that does not.
func (r *Runtime) endpoint(ctx context.Context, id runtime.ContainerID) (network.Endpoint, error) {
	rec, task, err := r.look(ctx, id)
	if err != nil || pidOf(task) == 0 {
		return network.Endpoint{}, err
	}
	e, err := r.networks.Endpoint(rec.ID)
	return e, about(id, err)
}

// IP is the container's address on the node's bridge, or on that of the
// container whose network it shares.
func (r *Runtime) IP(ctx context.Context, id runtime.ContainerID) (netip.Addr, error) {
	e, err := r.endpoint(ctx, id)
	return e.Address, err
}

// PortMappings are those of a container that runs: one that has ended has given
// its ports back.
func (r *Runtime) PortMappings(ctx context.Context, id runtime.ContainerID) ([]messages.Port, error) {
	e, err := r.endpoint(ctx, id)
	return e.Ports, err
}

// PortOverride is the port that was found for the first one of the spec, if that
// left it open.
func (r *Runtime) PortOverride(ctx context.Context, id runtime.ContainerID) (uint16, error) {
	rec, err := r.refresh(ctx, id)
	if err != nil {
		return 0, err
	}
	spec, err := specOf(rec)
	if err != nil || len(spec.Ports) == 0 || spec.Ports[0].Host != 0 {
		return 0, about(id, err)
	}
	e, err := r.endpoint(ctx, id)
	if err != nil || len(e.Ports) == 0 {
		return 0, err
	}
	return e.Ports[0].Host, nil
}

// networksOf is how Inspect tells of a network.
func networksOf(spec *messages.Spec, e network.Endpoint) []messages.Network {
	n := messages.Network{Network: spec.Network}
	if n.Network == "" {
		n.Network = messages.NetworkDefault
	}
	n.IPv4 = e.AddressText()
	return []messages.Network{n}
}
