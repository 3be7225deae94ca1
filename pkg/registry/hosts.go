// Package registry says how a node reaches registries: at which hosts, and with
// whose credentials.
//
// What stands for a registry is said by hosts.toml files, laid out and written
// as containerd's own (one directory a registry): mirrors, certificate
// authorities, client certificates, headers. Both that talk to registries read
// them here: what learns an image's platforms, by Endpoints, and what pulls it,
// by Hosts. The files are read again at every use.
//
// Without a file a registry is reached by HTTPS, and by plain HTTP on a loopback
// address.
package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/remotes/docker/config"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/image"
)

// The names of Docker Hub: in references, in go-containerregistry, and where it
// is reached.
const (
	hub       = "docker.io"
	hubIndex  = "index.docker.io"
	hubServer = "registry-1.docker.io"
)

// Hosts are the places that stand for registries, in the order in which they are
// asked, as the directory of hosts.toml files says; "" is none. credentials are
// a user and a secret for a place; nil shows nobody any.
func Hosts(ctx context.Context, dir string, credentials func(host string) (user, secret string, err error)) docker.RegistryHosts {
	return func(host string) ([]docker.RegistryHost, error) {
		opts := config.HostOptions{Credentials: credentials}
		if docker.IsLocalhost(host) {
			opts.DefaultScheme = "http" // what else it speaks, a hosts.toml says
		}
		if dir != "" {
			opts.HostDir = config.HostDirFromRoot(dir)
		}
		hosts, err := config.ConfigureHosts(ctx, opts)(host)
		if err != nil {
			return nil, fmt.Errorf("registry %s: its hosts.toml in %s: %w: %w", host, dir, errdefs.ErrFailedPrecondition, err)
		}
		return hosts, nil
	}
}

// IsOwn tells whether a host is the registry itself, and no mirror.
func IsOwn(host, registry string) bool {
	return host == registry || registry == hub && host == hubServer
}

// Endpoints is Hosts for an image.Resolver.
func Endpoints(dir string) func(context.Context, string) ([]image.Endpoint, error) {
	return func(ctx context.Context, registry string) ([]image.Endpoint, error) {
		hosts, err := Hosts(ctx, dir, nil)(registry)
		if err != nil {
			return nil, err
		}
		var out []image.Endpoint
		for _, h := range hosts {
			if !h.Capabilities.Has(docker.HostCapabilityPull | docker.HostCapabilityResolve) {
				continue
			}
			e := image.Endpoint{Host: h.Host, Mirror: true}
			if IsOwn(h.Host, registry) {
				e = image.Endpoint{}
			}
			e.Transport = &toHost{host: h, endpoint: e.Host, registry: registry}
			out = append(out, e)
		}
		if len(out) == 0 {
			return nil, fmt.Errorf("registry %s: its hosts.toml in %s names no host that pulls and resolves: %w", registry, dir, errdefs.ErrFailedPrecondition)
		}
		return out, nil
	}
}

// toHost sends requests of the registry protocol to a host, as containerd's
// client would; others, for tokens and to where a blob is, go where they say.
type toHost struct {
	host     docker.RegistryHost
	endpoint string // as it is asked for; "": the registry
	registry string
}

func (t *toHost) RoundTrip(req *http.Request) (*http.Response, error) {
	transport := t.host.Client.Transport
	rest, protocol := strings.CutPrefix(req.URL.Path, "/v2/")
	if !protocol || !t.isFor(req.URL.Host) {
		return transport.RoundTrip(req)
	}
	out := req.Clone(req.Context())
	out.Host = ""
	out.URL.Scheme, out.URL.Host = t.host.Scheme, t.host.Host
	out.URL.Path, out.URL.RawPath = t.host.Path+"/"+rest, ""
	if t.endpoint != "" {
		query := out.URL.Query()
		query.Set("ns", t.registry) // one mirror may stand for many
		out.URL.RawQuery = query.Encode()
	}
	for name, values := range t.host.Header {
		out.Header[name] = append(out.Header[name], values...)
	}
	return transport.RoundTrip(out)
}

func (t *toHost) isFor(host string) bool {
	switch {
	case t.endpoint != "":
		return host == t.endpoint
	case t.registry == hub:
		return host == hubIndex
	}
	return host == t.registry
}
