package registry

import (
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// Login is what the node's docker configuration (or else podman's), with its
// credential helpers, has for a registry; the zero AuthConfig is nothing.
func Login(host string) (authn.AuthConfig, error) {
	registry, err := name.NewRegistry(host)
	if err != nil {
		return authn.AuthConfig{}, fmt.Errorf("registry %s: %w: %w", host, errdefs.ErrInvalidArgument, err)
	}
	found, err := authn.DefaultKeychain.Resolve(registry)
	if err != nil {
		return authn.AuthConfig{}, fmt.Errorf("registry %s: the node's docker configuration: %w: %w", host, errdefs.ErrFailedPrecondition, err)
	}
	c, err := found.Authorization()
	if err != nil {
		return authn.AuthConfig{}, fmt.Errorf("registry %s: the node's credentials: %w: %w", host, errdefs.ErrFailedPrecondition, err)
	}
	return *c, nil
}
