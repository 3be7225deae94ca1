package containerd

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/network"
)

// checkNetwork refuses combinations that mean nothing, and what this machine
// could not do when the container is started.
func (r *Runtime) checkNetwork(spec *messages.Spec) error {
	switch {
	case onBridge(spec):
		return r.networks.CanConnect(len(spec.Ports) > 0)
	case len(spec.Ports) > 0:
		return fmt.Errorf("spec.ports: network %s publishes none: the container's ports are those of the network it is on; leave spec.ports out, or ask for network default: %w", spec.Network, errdefs.ErrInvalidArgument)
	}
	return nil
}

// setNetwork puts the container where its network will be when it is started.
// Without a network, runc's own namespace does: it brings the loopback up.
func (r *Runtime) setNetwork(s *specs.Spec, cid string, spec *messages.Spec) {
	isNetwork := func(n specs.LinuxNamespace) bool { return n.Type == specs.NetworkNamespace }
	switch spec.Network {
	case messages.NetworkNone:
	case messages.NetworkHost:
		s.Linux.Namespaces = slices.DeleteFunc(s.Linux.Namespaces, isNetwork)
	default:
		i := slices.IndexFunc(s.Linux.Namespaces, isNetwork)
		s.Linux.Namespaces[i].Path = r.networks.Namespace(cid)
	}
	r.setEtc(s, cid, spec)
}

// setEtc mounts the files that are made for the container over those of its
// image. The job's own mounts come later, and may take their place.
func (r *Runtime) setEtc(s *specs.Spec, cid string, spec *messages.Spec) {
	options := []string{"rbind", "rprivate", "rw"}
	if spec.ReadOnly {
		options[2] = "ro"
	}
	for _, name := range []string{network.Hosts, network.Resolv, network.Hostname} {
		s.Mounts = append(s.Mounts, specs.Mount{Type: "bind", Source: r.networks.File(cid, name), Destination: "/etc/" + name, Options: options})
	}
}

// prepareNetwork makes what a start needs of the network, but for what the
// plugins do. A container that runs keeps its own.
func (r *Runtime) prepareNetwork(ctx context.Context, rec containers.Container) error {
	if _, err := os.Lstat(r.networks.Namespace(rec.ID)); err == nil {
		if err := r.clearTask(ctx, rec.ID); err != nil {
			return err
		}
	}
	spec, err := specOf(rec)
	if err != nil {
		return err
	}
	id, _, ok := identityOf(rec.Labels)
	if !ok {
		return fmt.Errorf("labels of %s: %w", rec.ID, errdefs.ErrDataLoss)
	}
	req := network.Request{
		Network: spec.Network, Hostname: hostname(id, spec), DNS: spec.DNS, Hosts: spec.ExtraHosts, Ports: spec.Ports,
	}
	if name, ok := strings.CutPrefix(spec.Network, messages.NetworkContainer); ok {
		if req.Join, req.JoinAddress, err = r.joined(ctx, name); err != nil {
			return fmt.Errorf("spec.network: %s: %w", spec.Network, err)
		}
	}
	return r.networks.Prepare(ctx, rec.ID, req)
}

// joined is the network namespace of a running container, by its first or second
// name, and the address there.
func (r *Runtime) joined(ctx context.Context, name string) (path string, address netip.Addr, err error) {
	cid, err := r.named(ctx, name)
	if err != nil {
		return "", address, err
	}
	task, err := r.task(ctx, cid)
	if err != nil {
		return "", address, err
	}
	if pidOf(task) == 0 {
		return "", address, fmt.Errorf("the container %s does not run; start it first: %w", name, errdefs.ErrFailedPrecondition)
	}
	e, err := r.networks.Endpoint(cid)
	return fmt.Sprintf("/proc/%d/ns/net", task.Pid), e.Address, err
}

// named is the id in containerd of a container's first or second name.
func (r *Runtime) named(ctx context.Context, name string) (string, error) {
	if id, ok := runtime.ParseContainerID(name); ok {
		_, err := r.records.Get(ctx, containerID(id))
		if !errdefs.IsNotFound(err) {
			return containerID(id), native(err)
		}
	}
	recs, err := r.records.List(ctx, fmt.Sprintf("labels.%q==%q", labelName, name))
	if err != nil {
		return "", native(err)
	}
	if len(recs) == 0 {
		return "", fmt.Errorf("this node has no container %s: %w", name, errdefs.ErrNotFound)
	}
	return recs[0].ID, nil
}
