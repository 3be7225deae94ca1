package image

import (
	"context"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// The defaults of a Resolver.
const (
	DefaultCacheSize   = 1000             // images
	DefaultTagTTL      = time.Minute      // how long a checked tag is believed under if_not_present
	DefaultReadTimeout = 30 * time.Second // one ask of a registry, the handshake included
)

// Store is what the node already holds. Lookup gets references in the form of
// Normalize, and returns the digest of what the reference names and the
// platforms of its index, of which the node may hold the content of only one.
// An image that is not held is an error of class NotFound.
//
// It is called from many goroutines at once.
type Store interface {
	Lookup(ctx context.Context, ref string) (digest string, platforms []messages.Platform, err error)
}

// Endpoint is a place that stands for a registry.
type Endpoint struct {
	Host      string            // host[:port]; empty: the registry itself
	Insecure  bool              // plain HTTP is allowed
	Transport http.RoundTripper // how it is reached; nil: as WithTransport says
	// Mirror is shown what the keychain has for its own host, and never an ask's
	// credentials. What it cannot answer, the next endpoint is asked.
	Mirror bool
}

// Option is a setting of NewResolver.
type Option func(*options)

type options struct {
	store     Store
	transport http.RoundTripper
	keychain  authn.Keychain
	endpoints func(ctx context.Context, registry string) ([]Endpoint, error)
	cacheSize int
	tagTTL    time.Duration
	timeout   time.Duration
}

func defaults() options {
	return options{
		transport: remote.DefaultTransport,
		keychain:  authn.DefaultKeychain,
		endpoints: func(context.Context, string) ([]Endpoint, error) { return []Endpoint{{}}, nil },
		cacheSize: DefaultCacheSize,
		tagTTL:    DefaultTagTTL,
		timeout:   DefaultReadTimeout,
	}
}

// WithStore has the local store asked before the network.
func WithStore(s Store) Option {
	return func(o *options) { o.store = s }
}

// WithTransport sets the HTTP transport, for a certificate authority of one's
// own or a proxy. The default is go-containerregistry's.
func WithTransport(t http.RoundTripper) Option {
	return func(o *options) {
		if t != nil {
			o.transport = t
		}
	}
}

// WithKeychain sets where the credentials of an ask without any come from. The
// default is the configuration of docker, or else of podman.
func WithKeychain(k authn.Keychain) Option {
	return func(o *options) {
		if k != nil {
			o.keychain = k
		}
	}
}

// WithEndpoints sets where registries are reached: at least one place, in the
// order in which they are asked. It is given the host[:port] of the reference,
// which is docker.io for Docker Hub, whenever a registry is asked.
//
// Without it a registry is reached by HTTPS, and by plain HTTP where localhost,
// a loopback or an RFC 1918 address does not answer that, as
// go-containerregistry has it.
func WithEndpoints(f func(ctx context.Context, registry string) ([]Endpoint, error)) Option {
	return func(o *options) {
		if f != nil {
			o.endpoints = f
		}
	}
}

// WithCacheSize sets how many images are remembered, the least recently used
// going first. The default stands in for what is not positive.
func WithCacheSize(images int) Option {
	return func(o *options) {
		if images > 0 {
			o.cacheSize = images
		}
	}
}

// WithTagTTL sets how long a tag that has been checked is believed under
// if_not_present while the store does not hold it; 0 has it checked each time.
func WithTagTTL(d time.Duration) Option {
	return func(o *options) { o.tagTTL = max(d, 0) }
}

// WithReadTimeout sets how long one ask of a registry may take, the handshake
// included. The default stands in for what is not positive.
func WithReadTimeout(d time.Duration) Option {
	return func(o *options) {
		if d > 0 {
			o.timeout = d
		}
	}
}
