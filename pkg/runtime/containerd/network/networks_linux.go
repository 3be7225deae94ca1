package network

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"github.com/containerd/errdefs"
	"github.com/containernetworking/cni/libcni"
)

// Networks are those of one node's containers. Make one with Open.
type Networks struct {
	cfg      Config
	log      *slog.Logger
	cni      *libcni.CNIConfig
	ports    portTable
	firewall firewall

	bridge sync.Mutex // held by who makes the bridge
	ready  *lists     // nil: not yet
}

// lists are the default network as CNI is told it.
type lists struct {
	subnet              netip.Prefix
	plain, publish, own *libcni.NetworkConfigList
}

// Open makes the directories. The bridge comes with the first container that
// wants it.
func Open(cfg Config) (*Networks, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	for _, dir := range []string{cfg.StateDir, filepath.Join(cfg.RunDir, "containers")} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return nil, fmt.Errorf("network: %w", err)
		}
	}
	return &Networks{
		cfg:   cfg,
		log:   cfg.Logger,
		cni:   libcni.NewCNIConfigWithCacheDir(cfg.Plugins, cfg.cniDir(), nil),
		ports: portTable{dir: PortsDir},
	}, nil
}

// Bridge is the name of the node's bridge.
func (n *Networks) Bridge() string { return n.cfg.bridge() }

// CanConnect says, before anything is made, why a container could not have the
// default network, or ports published on it: which program is missing.
func (n *Networks) CanConnect(publish bool) error {
	plugins := []string{"bridge", "host-local"}
	if publish {
		plugins = append(plugins, "portmap")
	}
	for _, plugin := range plugins {
		if !n.hasPlugin(plugin) {
			return fmt.Errorf("the CNI plugin %s is in none of %v; build it with `make tools` and name its directory with --tools, or ask for network none or host: %w", plugin, n.cfg.Plugins, errdefs.ErrFailedPrecondition)
		}
	}
	if publish {
		if _, err := lookUp(); err != nil {
			return fmt.Errorf("spec.ports: %w", err)
		}
	}
	return nil
}

func (n *Networks) hasPlugin(name string) bool {
	for _, dir := range n.cfg.Plugins {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

// settled is the default network, settled with the first container that wants
// it: only then is it known that the machine needs a subnet for it.
func (n *Networks) settled() (*lists, error) {
	if n.ready != nil {
		return n.ready, nil
	}
	subnet, err := n.settleSubnet()
	if err != nil {
		return nil, err
	}
	l := &lists{subnet: subnet}
	mtu := machineMTU()
	if l.plain, err = n.cfg.bridgeNetwork(subnet, mtu, false); err != nil {
		return nil, err
	}
	if l.publish, err = n.cfg.bridgeNetwork(subnet, mtu, true); err != nil {
		return nil, err
	}
	if l.own, err = n.cfg.leases(subnet); err != nil {
		return nil, err
	}
	n.ready = l
	return l, nil
}
