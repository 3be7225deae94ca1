package toybox

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// A Registry serves images over plain HTTP from memory until it is closed.
type Registry struct {
	listener net.Listener
	server   *http.Server
	auth     authn.Authenticator
}

// A RegistryOption changes how a registry is served.
type RegistryOption func(*Registry, http.Handler) http.Handler

// WithBasicAuth makes the registry refuse whoever does not give this user and
// password, for reading as well as for writing.
func WithBasicAuth(user, password string) RegistryOption {
	return func(r *Registry, next http.Handler) http.Handler {
		r.auth = &authn.Basic{Username: user, Password: password}
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			gotUser, gotPassword, _ := req.BasicAuth()
			if !same(gotUser, user) || !same(gotPassword, password) {
				refuse(w)
				return
			}
			next.ServeHTTP(w, req)
		})
	}
}

// WithMiddleware puts a handler before the registry, which sees every request:
// to count them, or to answer with an error.
func WithMiddleware(wrap func(http.Handler) http.Handler) RegistryOption {
	return func(_ *Registry, next http.Handler) http.Handler { return wrap(next) }
}

// Serve starts an empty registry on an address such as "127.0.0.1:0". Options
// apply from the inside out: the last one sees a request first.
func Serve(address string, options ...RegistryOption) (*Registry, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("toybox: registry: %w", err)
	}
	quiet := log.New(io.Discard, "", 0)
	r := &Registry{listener: listener, auth: authn.Anonymous}
	handler := wholeForOpenRange(registry.New(registry.Logger(quiet)))
	for _, option := range options {
		handler = option(r, handler)
	}
	r.server = &http.Server{Handler: handler, ErrorLog: quiet, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(listener) }() // ends, with an error that says so, when the server is closed
	return r, nil
}

// wholeForOpenRange has a fetch that goes on where another was cut off get the
// whole, which is always allowed: the registry below knows no range without an
// end.
func wholeForOpenRange(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.Header.Get("Range"), "-") {
			req.Header.Del("Range")
		}
		next.ServeHTTP(w, req)
	})
}

// Addr is the host and port that references to this registry begin with.
func (r *Registry) Addr() string { return r.listener.Addr().String() }

// Push puts an image or an index under a name such as "team/web:1.4", and
// gives its whole reference, "127.0.0.1:41213/team/web:1.4".
func (r *Registry) Push(ctx context.Context, repositoryAndTag string, content remote.Taggable) (string, error) {
	ref, err := name.ParseReference(r.Addr()+"/"+repositoryAndTag, name.Insecure)
	if err != nil {
		return "", fmt.Errorf("toybox: push: %w", err)
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuth(r.auth)}
	switch c := content.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(ref, c, options...)
	case v1.Image:
		err = remote.Write(ref, c, options...)
	default:
		err = fmt.Errorf("%T is neither an image nor an index", content)
	}
	if err != nil {
		return "", fmt.Errorf("toybox: push %s: %w", ref, err)
	}
	return ref.String(), nil
}

// Close stops the registry and cuts the connections it has.
func (r *Registry) Close() error { return r.server.Close() }

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func refuse(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Basic realm="toybox"`)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"a user and a password are required"}]}`)
}
