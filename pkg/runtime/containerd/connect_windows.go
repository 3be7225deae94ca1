package containerd

import (
	"context"
	"encoding/json"
	"fmt"
	"net"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	"github.com/containerd/typeurl/v2"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/network"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/runhcs"
)

// checkNetwork refuses combinations that mean nothing, and what this machine
// could not do when the container is started.
func (r *Runtime) checkNetwork(spec *messages.Spec) error {
	switch {
	case onBridge(spec):
		return r.networks.CanConnect(len(spec.Ports) > 0)
	case len(spec.Ports) > 0:
		return fmt.Errorf("spec.ports: network %s publishes none; leave spec.ports out, or ask for network default: %w", spec.Network, errdefs.ErrInvalidArgument)
	}
	return nil
}

// prepareNetwork makes the container's network and tells its spec which it is: a
// namespace has its id from Windows, a new one at each start. A container that
// runs keeps its own.
func (r *Runtime) prepareNetwork(ctx context.Context, rec containers.Container) error {
	if err := r.clearTask(ctx, rec.ID); err != nil {
		return err
	}
	spec, err := specOf(rec)
	if err != nil {
		return err
	}
	if err := r.networks.Prepare(ctx, rec.ID, network.Request{Network: spec.Network, DNS: spec.DNS, Ports: spec.Ports}); err != nil {
		return err
	}
	guid, err := r.networks.NamespaceID(rec.ID)
	if err != nil {
		return err
	}
	return r.insist(ctx, func() error { return r.setNamespace(ctx, rec, guid) })
}

func (r *Runtime) setNamespace(ctx context.Context, rec containers.Container, guid string) error {
	var spec specs.Spec
	if err := json.Unmarshal(rec.Spec.GetValue(), &spec); err != nil {
		return fmt.Errorf("the OCI spec in its record: %w: %w", errdefs.ErrDataLoss, err)
	}
	if spec.Windows == nil {
		return fmt.Errorf("the OCI spec in its record is not for Windows: %w", errdefs.ErrDataLoss)
	}
	runhcs.SetNamespace(&spec, guid)
	changed, err := typeurl.MarshalAny(&spec)
	if err != nil {
		return fmt.Errorf("spec: %w", err)
	}
	_, err = r.records.Update(ctx, containers.Container{ID: rec.ID, Spec: changed}, "spec")
	return native(err)
}

// NamespaceID is the GUID of the container's network namespace; "" of one that
// has none now.
func (r *Runtime) NamespaceID(ctx context.Context, id runtime.ContainerID) (string, error) {
	rec, err := r.refresh(ctx, id)
	if err != nil {
		return "", err
	}
	guid, err := r.networks.NamespaceID(rec.ID)
	return guid, about(id, err)
}

// dialerOf connects to the container's own address: a published port may not
// answer on the node's localhost, and the container's cannot be reached from here.
func (r *Runtime) dialerOf(cid string, _ int) (dialer, error) {
	e, err := r.networks.Endpoint(cid)
	if err != nil {
		return nil, err
	}
	if !e.Address.IsValid() {
		return nil, fmt.Errorf("check: the container has no address; check it with a command: %w", errdefs.ErrFailedPrecondition)
	}
	return func(ctx context.Context, kind, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, kind, net.JoinHostPort(e.AddressText(), port))
	}, nil
}
