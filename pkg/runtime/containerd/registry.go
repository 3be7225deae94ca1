//go:build linux || windows

package containerd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/authn"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/registry"
)

// maxManifest bounds what is read of a manifest.
const maxManifest = 4 << 20

// credentials are what a registry is shown.
type credentials struct {
	user, secret string
	bearer       string // sent as it is, instead of the two
}

// resolver talks to the registries of one pull.
func (r *Runtime) resolver(ctx context.Context, ref imageRef, auth *messages.RegistryAuth) (remotes.Resolver, error) {
	creds, err := credentialsFor(ref, auth)
	if err != nil {
		return nil, err
	}
	hosts := registry.Hosts(ctx, r.cfg.RegistryHosts, creds.forHost(ref.host))
	return docker.NewResolver(docker.ResolverOptions{Hosts: creds.bearerHosts(ref.host, hosts)}), nil
}

// credentialsFor are those given, else those of the node's docker configuration.
func credentialsFor(ref imageRef, auth *messages.RegistryAuth) (credentials, error) {
	if auth == nil {
		login, err := registry.Login(ref.host)
		return fromAuthConfig(login), err
	}
	switch auth.Kind {
	case messages.AuthToken:
		return fromAuthConfig(tokenConfig(auth)), nil
	case messages.AuthBasic, "":
		return credentials{user: auth.Username, secret: auth.Password}, nil
	}
	return credentials{}, fmt.Errorf("registry_auth.kind: %q is not known; want basic or token: %w", auth.Kind, errdefs.ErrInvalidArgument)
}

// tokenConfig tells a token that is exchanged for the registry's own, by the
// user names that docker login and Azure give it, from one that is sent as it
// is.
func tokenConfig(auth *messages.RegistryAuth) authn.AuthConfig {
	if auth.Username == "<token>" || auth.Username == "00000000-0000-0000-0000-000000000000" {
		return authn.AuthConfig{IdentityToken: auth.Password}
	}
	return authn.AuthConfig{RegistryToken: auth.Password}
}

func fromAuthConfig(c authn.AuthConfig) credentials {
	switch {
	case c.RegistryToken != "":
		return credentials{bearer: c.RegistryToken}
	case c.IdentityToken != "":
		return credentials{secret: c.IdentityToken} // no user: an identity token, by containerd's convention
	}
	return credentials{user: c.Username, secret: c.Password}
}

// forHost gives the credentials to the image's own registry alone; a mirror gets
// what the node has for it.
func (c credentials) forHost(host string) func(string) (string, string, error) {
	return func(asked string) (string, string, error) {
		if registry.IsOwn(asked, host) {
			return c.user, c.secret, nil
		}
		login, err := registry.Login(asked)
		mirror := fromAuthConfig(login)
		return mirror.user, mirror.secret, err
	}
}

// bearerHosts puts a token that needs no exchange into the requests to the
// image's own registry.
func (c credentials) bearerHosts(host string, hosts docker.RegistryHosts) docker.RegistryHosts {
	if c.bearer == "" {
		return hosts
	}
	return func(name string) ([]docker.RegistryHost, error) {
		list, err := hosts(name)
		for i := range list {
			if !registry.IsOwn(list[i].Host, host) {
				continue
			}
			header := list[i].Header.Clone()
			if header == nil {
				header = http.Header{}
			}
			header.Set("Authorization", "Bearer "+c.bearer)
			list[i].Header, list[i].Authorizer = header, nil
		}
		return list, err
	}
}

// otherPlatforms is the verdict on an image that its registry has, but not for
// this platform; nil when that is not how it is.
func (r *Runtime) otherPlatforms(ctx context.Context, resolver remotes.Resolver, ref imageRef, platform ocispec.Platform) error {
	_, desc, err := resolver.Resolve(ctx, ref.name)
	if err != nil || desc.Size > maxManifest {
		return nil
	}
	if !images.IsIndexType(desc.MediaType) { // its config was fetched before its platform could be known
		if has, err := r.platformsOf(ctx, desc); err == nil && !anyMatch(has, platform) {
			return r.route("", "image "+ref.name, has...)
		}
		return nil
	}
	fetcher, err := resolver.Fetcher(ctx, ref.name)
	if err != nil {
		return nil
	}
	body, err := fetcher.Fetch(ctx, desc)
	if err != nil {
		return nil
	}
	defer body.Close()
	var index ocispec.Index
	if err := json.NewDecoder(io.LimitReader(body, maxManifest)).Decode(&index); err != nil {
		return nil
	}
	if has := indexPlatforms(index); len(has) > 0 && !anyMatch(has, platform) {
		return r.route("", "image "+ref.name, has...)
	}
	return nil
}
