package workerd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/containerd/log"

	"github.com/shunt-fleet/shunt/internal/version"
	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/registry"
	port "github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/managed"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/remote"
)

// runtimes is what a worker runs containers with, and how to let go of it.
type runtimes struct {
	composite  *port.Composite
	containerd *managed.Containerd // nil: not managed
	address    string              // of containerd; "": there is none
	close      []func() error

	// discard takes away what the containers of a node that is given up had on
	// the machine, once they are gone.
	discard func(context.Context) error
}

// newRuntimes makes the node's runtime.
func newRuntimes(ctx context.Context, c *Config) (*runtimes, error) {
	r := &runtimes{}
	primary, resolver, err := r.primary(ctx, c)
	var delegates []port.Member
	if err == nil && len(c.delegateArgs) > 0 {
		delegates, err = r.delegate(ctx, c)
	}
	if err == nil {
		r.composite, err = port.NewComposite(port.CompositeConfig{
			Primary: port.Member{Name: "primary", Runtime: primary}, Delegates: delegates, Resolver: resolver, Logger: c.Logger,
		})
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// primary is the runtime of this machine.
func (r *runtimes) primary(ctx context.Context, c *Config) (port.Runtime, *image.Resolver, error) {
	r.discard = func(context.Context) error { return nil }
	if c.Runtime == RuntimeMemory {
		return r.memory(c)
	}
	return r.realContainerd(ctx, c)
}

// delegateWithin is how long a worker waits for its delegate when it starts, so
// that what runs there is taken up at once. It goes on without one.
const delegateWithin = 10 * time.Second

// delegate is the runtime at the far end of --delegate.
func (r *runtimes) delegate(ctx context.Context, c *Config) ([]port.Member, error) {
	log := c.Logger.With("delegate", c.delegateArgs[0])
	far, err := remote.New(remote.Config{Dial: remote.Command(c.delegateArgs, log), Logger: log})
	if err != nil {
		return nil, err
	}
	r.close = append(r.close, far.Close)
	ctx, cancel := context.WithTimeout(ctx, delegateWithin)
	defer cancel()
	if err := far.Await(ctx); err != nil {
		log.Warn("going on without the delegate until it is there", "error", err)
	}
	return []port.Member{{Name: delegateMember, Runtime: far}}, nil
}

// delegateMember is what results call the delegate.
const delegateMember = "delegate"

// memory is a runtime that pretends, of the images that registries really have.
func (r *runtimes) memory(c *Config) (port.Runtime, *image.Resolver, error) {
	platforms, err := c.platforms()
	if err != nil {
		return nil, nil, err
	}
	resolver := image.NewResolver(image.WithEndpoints(registry.Endpoints(c.RegistryHosts)))
	machine, err := memory.NewMachine(memory.Config{Platforms: platforms, Images: registryImages{resolver}, Version: version.Version})
	if err != nil {
		return nil, nil, err
	}
	r.close = append(r.close, machine.Close)
	return memory.New(machine), resolver, nil
}

// realContainerd is containerd, another's or the worker's own.
func (r *runtimes) realContainerd(ctx context.Context, c *Config) (port.Runtime, *image.Resolver, error) {
	address := c.Containerd
	if address == ContainerdManaged {
		var err error
		r.containerd, err = managed.Start(ctx, managed.Config{StateDir: c.StateDir, Tools: c.Tools, Logger: c.Logger})
		if err != nil {
			return nil, nil, err
		}
		r.close = append(r.close, r.containerd.Close)
		address = r.containerd.Address()
	}
	// containerd's client logs through a logger of its own, which knows nothing
	// of --log-level; what matters comes back as errors.
	_ = log.SetLevel("error")
	logger, err := c.loggerPath()
	if err != nil {
		return nil, nil, err
	}
	r.address = address
	rt, err := containerd.New(ctx, c.containerd(address, logger))
	if err != nil {
		return nil, nil, err
	}
	r.close, r.discard = append(r.close, rt.Close), rt.Discard
	if err := rt.Tend(ctx); err != nil {
		return nil, nil, fmt.Errorf("sweep what containers have left: %w", err)
	}
	return rt, image.NewResolver(image.WithStore(rt), image.WithEndpoints(registry.Endpoints(c.RegistryHosts))), nil
}

// containerd is how to reach containerd and the containers of this node there.
func (c *Config) containerd(address, logger string) containerd.Config {
	return containerd.Config{
		Address: address, StateDir: filepath.Join(c.StateDir, "containers"), LoggerPath: logger,
		Namespace: c.Namespace, RuncPath: c.runcPath(), RegistryHosts: c.RegistryHosts, Logger: c.Logger,
		CNIPlugins: c.cniPlugins(), Subnet: c.subnet,
	}
}

// loggerPath is the worker's own binary: this program, or the one beside it.
func (c *Config) loggerPath() (string, error) {
	if c.LoggerPath != "" {
		return c.LoggerPath, nil
	}
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program's own path: %w", err)
	}
	name := "worker"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if filepath.Base(self) == name {
		return self, nil
	}
	beside := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(beside); err != nil {
		return "", fmt.Errorf("the program %s, which keeps containers' output, is missing: %w; `make build` puts it there", beside, err)
	}
	return beside, nil
}

// runcPath is runc among the tools, or "" for the one in containerd's PATH.
func (c *Config) runcPath() string {
	if c.Tools == "" {
		return ""
	}
	path := filepath.Join(c.Tools, "runc")
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// cniPlugins is where the plugins are among the tools; none: where distributions
// put them.
func (c *Config) cniPlugins() []string {
	dir := filepath.Join(c.Tools, "cni")
	if info, err := os.Stat(dir); c.Tools == "" || err != nil || !info.IsDir() {
		return nil
	}
	return []string{dir}
}

// Close lets go of the runtimes; containers go on running.
func (r *runtimes) Close() {
	for i := len(r.close) - 1; i >= 0; i-- {
		_ = r.close[i]()
	}
}

// registryImages tells the memory runtime what registries say of an image.
type registryImages struct{ resolver *image.Resolver }

func (s registryImages) Image(ctx context.Context, ref string, platform messages.Platform, pull messages.PullPolicy, auth *messages.RegistryAuth) (memory.Image, error) {
	c, err := s.resolver.Config(ctx, ref, platform, pull, auth)
	if err != nil {
		return memory.Image{}, err
	}
	return memory.Image{
		Digest: c.Digest, Platform: c.Platform, Size: c.Size,
		Entrypoint: c.Entrypoint, Cmd: c.Cmd, StopSignal: c.StopSignal,
	}, nil
}
