package network

import (
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"

	"github.com/containerd/errdefs"
)

// Config says where a node's networks are kept.
type Config struct {
	Instance string // tells this node's bridge, rules and leases from others': at least 8 hexadecimal digits
	StateDir string // absolute; outlives a reboot
	RunDir   string // absolute; better not: usually below /run

	// Plugins are the directories in which the CNI plugins bridge, host-local
	// and portmap are looked for.
	Plugins []string

	// Subnet is the bridge's, from /8 to /29. Left out, a /24 of Pool is chosen
	// that overlaps nothing on the machine, and kept.
	Subnet netip.Prefix

	Logger *slog.Logger
}

// PortsDir holds the host ports that are published on this machine.
const PortsDir = "/run/shunt/ports"

func (c Config) validate() error {
	switch {
	case len(c.Instance) < bridgeDigits:
		return fmt.Errorf("network: config: Instance: %q is not a hash of at least %d digits: %w", c.Instance, bridgeDigits, errdefs.ErrInvalidArgument)
	case !filepath.IsAbs(c.StateDir):
		return fmt.Errorf("network: config: StateDir: %q is not an absolute path: %w", c.StateDir, errdefs.ErrInvalidArgument)
	case !filepath.IsAbs(c.RunDir):
		return fmt.Errorf("network: config: RunDir: %q is not an absolute path: %w", c.RunDir, errdefs.ErrInvalidArgument)
	}
	if err := CheckSubnet(c.Subnet); err != nil {
		return fmt.Errorf("network: config: Subnet: %w", err)
	}
	return nil
}

// bridgeDigits are what a bridge's name has of the instance; the kernel takes
// names of up to 15 characters.
const bridgeDigits = 8

func (c Config) bridge() string { return "shunt-" + c.Instance[:bridgeDigits] }
func (c Config) name() string   { return "shunt-" + c.Instance }

func (c Config) dir(id string) string          { return filepath.Join(c.RunDir, "containers", id) }
func (c Config) file(id, name string) string   { return filepath.Join(c.dir(id), name) }
func (c Config) namespace(id string) string    { return c.file(id, "netns") }
func (c Config) endpointFile(id string) string { return c.file(id, "endpoint") }
func (c Config) leasesDir() string             { return filepath.Join(c.RunDir, "leases") }
func (c Config) cniDir() string                { return filepath.Join(c.RunDir, "cni") }
func (c Config) subnetFile() string            { return filepath.Join(c.StateDir, "subnet") }
