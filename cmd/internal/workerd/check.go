package workerd

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/pkg/identifiers"
	"github.com/kballard/go-shellquote"

	"github.com/shunt-fleet/shunt/cmd/internal/settings"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/network"
)

// checkServer checks how NATS is reached.
func (c *Config) checkServer() error {
	if c.NATS == "" {
		return errors.New("--nats: no URL is given; want one such as nats://127.0.0.1:4222")
	}
	if err := settings.CheckServers("--nats", c.NATS); err != nil {
		return err
	}
	if err := settings.CheckFile("--creds", c.Creds); err != nil {
		return err
	}
	return settings.CheckFile("--tls-ca", c.TLSCA)
}

// checkNode checks what the node is to the fleet.
func (c *Config) checkNode() error {
	if err := messages.CheckToken("--node", c.Node); err != nil {
		return err
	}
	if c.StateDir == "" {
		return errors.New("--state-dir: none is given; want a directory of this worker's own that outlives it")
	}
	labels := messages.Requires{Labels: c.Labels}
	if err := labels.Validate(); err != nil {
		return fmt.Errorf("--label: %w", err)
	}
	for _, err := range []error{
		messages.CheckToken("--subject-root", c.SubjectRoot),
		settings.CheckAddress("--http", c.HTTP),
		settings.CheckCount("--peers", c.Peers),
	} {
		if err != nil {
			return err
		}
	}
	var err error
	c.allowed, err = c.policy()
	return err
}

// checkTimes checks how long what takes.
func (c *Config) checkTimes() error {
	if err := settings.CheckDuration("--heartbeat", c.Heartbeat, 3*time.Second); err != nil {
		return err
	}
	if c.TTL < 2*c.Heartbeat {
		return fmt.Errorf("--ttl: %v is not allowed; want at least twice the heartbeat (%v), so that one lost heartbeat is not a lost node", c.TTL, c.Heartbeat)
	}
	if c.DrainTimeout < 0 {
		return fmt.Errorf("--drain-timeout: %v is not allowed; want a duration such as 30s, or 0s to wait for nothing", c.DrainTimeout)
	}
	return nil
}

// checkDelegate checks what leads to another system.
func (c *Config) checkDelegate() error {
	if c.InstallWSL != "" {
		return fmt.Errorf("--install-wsl: %q: this version does not know it yet; leave it out", c.InstallWSL)
	}
	if c.Delegate == "" {
		return nil
	}
	var err error
	if c.delegateArgs, err = shellquote.Split(c.Delegate); err == nil && (len(c.delegateArgs) == 0 || c.delegateArgs[0] == "") {
		err = errors.New("it names no program")
	}
	if err != nil {
		return fmt.Errorf("--delegate: %q: %w; want a command as a shell reads it, such as 'wsl.exe -d shunt --exec worker delegate'", c.Delegate, err)
	}
	return nil
}

// checkRuntime checks what runs containers.
func (c *Config) checkRuntime() error {
	switch c.Runtime {
	case RuntimeMemory:
		if len(c.Platforms) == 0 {
			c.Platforms = []string{"linux/" + runtime.GOARCH}
		}
		_, err := c.platforms()
		return err
	case RuntimeContainerd:
		if len(c.Platforms) > 0 {
			return fmt.Errorf("--platforms: %s: only --runtime memory pretends; containerd runs what it runs", strings.Join(c.Platforms, ","))
		}
		return nil
	}
	return fmt.Errorf("--runtime: %q is not a runtime; want containerd or memory", c.Runtime)
}

// checkContainerd checks what belongs to containerd.
func (c *Config) checkContainerd() error {
	if c.Runtime == RuntimeContainerd && c.Containerd == "" {
		return fmt.Errorf("--containerd: none is given; want containerd's address, or %s for one of the worker's own", ContainerdManaged)
	}
	if err := identifiers.Validate(c.Namespace); err != nil {
		return fmt.Errorf("--namespace: %w; want a name such as shunt", err)
	}
	if err := settings.CheckDirectory("--tools", c.Tools); err != nil {
		return err
	}
	if err := settings.CheckDirectory("--registry-hosts", c.RegistryHosts); err != nil {
		return err
	}
	if c.Subnet == "" {
		return nil
	}
	var err error
	if c.subnet, err = netip.ParsePrefix(c.Subnet); err == nil {
		err = network.CheckSubnet(c.subnet)
	}
	if err != nil {
		return fmt.Errorf("--subnet: %q: %w", c.Subnet, err)
	}
	return nil
}
