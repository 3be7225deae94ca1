package network

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"github.com/Microsoft/hcsshim"
	"github.com/Microsoft/hcsshim/hcn"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Networks are those of one node's containers, kept by HNS. Each container has a
// namespace, whose GUID is in a file of its name, and on the default network an
// endpoint of its name in it. Make one with Open.
type Networks struct {
	cfg Config
	log *slog.Logger

	making sync.Mutex // held while ports are chosen, and while the network is made
}

// Open makes the directories. The network comes with the first container that
// wants it.
func Open(cfg Config) (*Networks, error) {
	if err := CheckSubnet(cfg.Subnet); err != nil {
		return nil, fmt.Errorf("network: config: Subnet: %w", err)
	}
	n := &Networks{cfg: cfg, log: cfg.Logger}
	if err := os.MkdirAll(n.namespacesDir(), 0o700); err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	return n, nil
}

func (n *Networks) namespacesDir() string          { return filepath.Join(n.cfg.StateDir, "namespaces") }
func (n *Networks) namespaceFile(id string) string { return filepath.Join(n.namespacesDir(), id) }
func (n *Networks) endpointName(id string) string  { return hnsName(n.cfg.Instance, id) }

// CanConnect says why a container could not have a network.
func (n *Networks) CanConnect(bool) error {
	if err := hcn.V2ApiSupported(); err != nil {
		return fmt.Errorf("networks: this Windows has no host networking service of version 2: %w: %w; enable the feature Containers, or ask for network none", err, errdefs.ErrFailedPrecondition)
	}
	return nil
}

// Prepare makes the container's namespace and endpoint anew. It is all that there
// is to do: the shim has to find both.
func (n *Networks) Prepare(ctx context.Context, id string, req Request) (err error) {
	if err := n.Disconnect(ctx, id); err != nil {
		return err
	}
	if !req.isDefault() {
		return nil
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Disconnect(ctx, id))
		}
	}()
	namespace, err := hcn.NewNamespace(hcn.NamespaceTypeHostDefault).Create()
	if err != nil {
		return hnsError("make a namespace", err)
	}
	if err := os.WriteFile(n.namespaceFile(id), []byte(namespace.Id), 0o600); err != nil {
		return errors.Join(fmt.Errorf("network of %s: %w", id, err), namespace.Delete())
	}
	endpoint, err := n.makeEndpoint(id, req)
	if err != nil {
		return err
	}
	if err := endpoint.NamespaceAttach(namespace.Id); err != nil {
		return hnsError("connect an endpoint", err)
	}
	return nil
}

// Connect has nothing left to do.
func (n *Networks) Connect(context.Context, string) error { return nil }

// Disconnect takes the container's endpoint and namespace away. What is not there
// is no error.
func (n *Networks) Disconnect(_ context.Context, id string) error {
	guid, err := n.NamespaceID(id)
	if err != nil {
		return err
	}
	endpoint, err := hcn.GetEndpointByName(n.endpointName(id))
	if err == nil {
		if guid != "" {
			_ = endpoint.NamespaceDetach(guid) // a namespace that is gone holds nothing
		}
		err = endpoint.Delete()
	}
	if err != nil && !hcn.IsNotFoundError(err) {
		return hnsError("remove the endpoint of "+id, err)
	}
	if guid == "" {
		return nil
	}
	if err := (&hcn.HostComputeNamespace{Id: guid}).Delete(); err != nil && !hcn.IsNotFoundError(err) {
		return hnsError("remove the namespace of "+id, err)
	}
	if err := os.Remove(n.namespaceFile(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("network of %s: %w", id, err)
	}
	return nil
}

// Forget is Disconnect: nothing is kept beyond it.
func (n *Networks) Forget(ctx context.Context, id string) error { return n.Disconnect(ctx, id) }

// NamespaceID is the GUID of the container's namespace; "" when it has none.
func (n *Networks) NamespaceID(id string) (string, error) {
	guid, err := os.ReadFile(n.namespaceFile(id))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("network of %s: %w", id, err)
	}
	return string(guid), nil
}

// Endpoint is what a container has of its network now; the zero one of a
// container that is not connected.
func (n *Networks) Endpoint(id string) (Endpoint, error) {
	e, err := hcn.GetEndpointByName(n.endpointName(id))
	if hcn.IsNotFoundError(err) {
		return Endpoint{}, nil
	}
	if err != nil {
		return Endpoint{}, hnsError("look for the endpoint of "+id, err)
	}
	out := Endpoint{Network: messages.NetworkDefault, Connected: true}
	for _, c := range e.IpConfigurations {
		if a, err := netip.ParseAddr(c.IpAddress); err == nil && a.Is4() {
			out.Address = a
		}
	}
	for _, m := range mappingsOf(*e) {
		out.Ports = append(out.Ports, m.port())
	}
	return out, nil
}

// Counters are the bytes that a container has received and sent.
func (n *Networks) Counters(id string) (received, sent uint64, err error) {
	e, err := hcn.GetEndpointByName(n.endpointName(id))
	if hcn.IsNotFoundError(err) {
		return 0, 0, nil // it is on no network
	}
	if err != nil {
		return 0, 0, hnsError("look for the endpoint of "+id, err)
	}
	s, err := hcsshim.GetHNSEndpointStats(e.Id)
	if err != nil {
		return 0, 0, hnsError("read the figures of the endpoint of "+id, err)
	}
	return s.BytesReceived, s.BytesSent, nil
}

// Connected are the containers that have a namespace.
func (n *Networks) Connected() []string {
	entries, err := os.ReadDir(n.namespacesDir())
	if err != nil {
		n.log.Warn("which containers are connected is not known", "error", err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// Sweep takes away what containers that do not run have left.
func (n *Networks) Sweep(ctx context.Context, running, _ func(id string) bool) error {
	endpoints, err := hcn.ListEndpoints()
	if err != nil {
		return hnsError("list endpoints", err)
	}
	var names []string
	for _, e := range endpoints {
		names = append(names, e.Name)
	}
	var errs []error
	for _, id := range hnsLeaks(n.cfg.Instance, names, n.Connected(), running) {
		n.log.Info("taking away the network of a container that does not run", "container", id)
		errs = append(errs, n.Disconnect(ctx, id))
	}
	return errors.Join(errs...)
}

// Destroy takes the network away.
func (n *Networks) Destroy(context.Context) error {
	net, err := hcn.GetNetworkByName(n.networkName())
	if err == nil {
		err = net.Delete()
	}
	if err != nil && !hcn.IsNotFoundError(err) {
		return hnsError("remove the network", err)
	}
	return nil
}

// hnsError gives an error of HNS its class: what it does not do today, it may
// do when it has been started again.
func hnsError(doing string, err error) error {
	if hcn.IsPortAlreadyExistsError(err) {
		return fmt.Errorf("network: %s: spec.ports.host: a program or a container of this node has the port: %w: %w", doing, err, errdefs.ErrUnavailable)
	}
	return fmt.Errorf("network: %s: %w: %w", doing, err, errdefs.ErrUnavailable)
}
