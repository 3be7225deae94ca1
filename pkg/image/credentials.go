package image

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// identity tells credentials apart without holding them. The zero identity is
// the node's own keychain.
type identity [sha256.Size]byte

// credentials are what an ask is made with.
type credentials struct {
	id    identity
	given authn.Authenticator // nil: from the keychain
}

// credentialsOf reads what came with an ask: none means the keychain's, empty
// ones anonymous.
func credentialsOf(auth *messages.RegistryAuth) (credentials, error) {
	if auth == nil {
		return credentials{}, nil
	}
	c := credentials{id: sha256.Sum256(fmt.Appendf(nil, "%q %q %q", auth.Kind, auth.Username, auth.Password))}
	switch {
	case auth.Kind != "" && auth.Kind != messages.AuthBasic && auth.Kind != messages.AuthToken:
		return c, fmt.Errorf("registry_auth.kind: %q is not known; want basic or token: %w", short(string(auth.Kind)), errdefs.ErrInvalidArgument)
	case auth.Username == "" && auth.Password == "":
		c.given = authn.Anonymous
	case auth.Kind != messages.AuthToken:
		c.given = authn.FromConfig(authn.AuthConfig{Username: auth.Username, Password: auth.Password})
	case isIdentity(auth.Username):
		c.given = authn.FromConfig(authn.AuthConfig{IdentityToken: auth.Password})
	default:
		c.given = authn.FromConfig(authn.AuthConfig{RegistryToken: auth.Password})
	}
	return c, nil
}

// isIdentity tells a token that is exchanged for the registry's own (a refresh
// token) by the user names that docker login and Azure give it; any other is
// sent to the registry as it is.
func isIdentity(username string) bool {
	return username == "<token>" || username == "00000000-0000-0000-0000-000000000000"
}

// authenticator is the credentials for one repository. The keychain is asked
// each time, for it may have changed.
func (c credentials) authenticator(ctx context.Context, keychain authn.Keychain, repo name.Repository) (authn.Authenticator, error) {
	if c.given != nil {
		return c.given, nil
	}
	a, err := authn.Resolve(ctx, keychain, repo)
	if err != nil {
		return nil, fmt.Errorf("the node's keychain has no usable credentials: %s: %w", short(err.Error()), errdefs.ErrFailedPrecondition)
	}
	return a, nil
}
