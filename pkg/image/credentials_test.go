package image_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

var alice = &messages.RegistryAuth{Username: "alice", Password: "wonder"}

// wantBasic is a guard that lets alice in.
func wantBasic(w http.ResponseWriter, r *http.Request) bool {
	if user, password, _ := r.BasicAuth(); user == alice.Username && password == alice.Password {
		return false
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
	w.WriteHeader(http.StatusUnauthorized)
	return true
}

// wantBearer is a guard that wants tokens and gives them, to alice or for a
// refresh token; "ready-made" is a token too.
func wantBearer(issued string) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			user, password, _ := r.BasicAuth()
			switch {
			case r.FormValue("scope") != "repository:app:pull":
				w.WriteHeader(http.StatusBadRequest)
			case user == alice.Username && password == alice.Password, r.FormValue("refresh_token") == "refresh":
				fmt.Fprintf(w, `{"token":%q}`, issued)
			default:
				w.WriteHeader(http.StatusUnauthorized)
			}
			return true
		}
		if token := r.Header.Get("Authorization"); token == "Bearer "+issued || token == "Bearer ready-made" {
			return false
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
		return true
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	bearer := wantBearer("issued")
	tests := []struct {
		name  string
		guard func(http.ResponseWriter, *http.Request) bool
		auth  *messages.RegistryAuth
		class error // nil: let in
	}{
		{"basic", wantBasic, alice, nil},
		{"basic by its name", wantBasic, &messages.RegistryAuth{Username: "alice", Password: "wonder", Kind: messages.AuthBasic}, nil},
		{"basic, wrong", wantBasic, &messages.RegistryAuth{Username: "alice", Password: "wrong"}, errdefs.ErrUnauthenticated},
		{"basic, none", wantBasic, nil, errdefs.ErrUnauthenticated},
		{"basic, empty", wantBasic, &messages.RegistryAuth{}, errdefs.ErrUnauthenticated},
		{"bearer", bearer, alice, nil},
		{"bearer, wrong", bearer, &messages.RegistryAuth{Username: "alice", Password: "wrong"}, errdefs.ErrUnauthenticated},
		{"bearer, none", bearer, nil, errdefs.ErrUnauthenticated},
		{"a registry token", bearer, &messages.RegistryAuth{Password: "ready-made", Kind: messages.AuthToken}, nil},
		{"a registry token, wrong", bearer, &messages.RegistryAuth{Password: "stale", Kind: messages.AuthToken}, errdefs.ErrUnauthenticated},
		{"a refresh token", bearer, &messages.RegistryAuth{Username: "<token>", Password: "refresh", Kind: messages.AuthToken}, nil},
		{"a refresh token, wrong", bearer, &messages.RegistryAuth{Username: "<token>", Password: "stale", Kind: messages.AuthToken}, errdefs.ErrUnauthenticated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reg := newRegistry(t)
			reg.index("app", "x", linuxAMD64)
			reg.guardWith(tt.guard)
			_, got, err := newResolver().Platforms(t.Context(), reg.host+"/app:x", "", tt.auth)
			if tt.class == nil {
				if err != nil || texts(got) != "linux/amd64" {
					t.Errorf("got %q, %v", texts(got), err)
				}
				return
			}
			wantError(t, err, tt.class, reg.host+"/app:x", "registry "+reg.host)
			if tt.auth != nil && tt.auth.Password != "" && strings.Contains(err.Error(), tt.auth.Password) {
				t.Errorf("%q tells the secret", err)
			}
		})
	}
}

// TestCredentialsAreNotShared has one caller read a private image, and others
// with other credentials, or none, ask for the same.
func TestCredentialsAreNotShared(t *testing.T) {
	t.Parallel()
	reg, r := newRegistry(t), newResolver()
	digest := reg.index("app", "x", linuxAMD64).Digest.String()
	reg.guardWith(wantBasic)
	refs := []string{reg.host + "/app:x", reg.host + "/app@" + digest}
	for _, ref := range refs {
		platforms(t, r, ref, "", alice)
	}
	mallory := &messages.RegistryAuth{Username: "mallory", Password: "wonder"}
	for _, ref := range refs {
		for _, auth := range []*messages.RegistryAuth{nil, {}, mallory} {
			for _, pull := range []messages.PullPolicy{messages.PullIfNotPresent, messages.PullAlways} {
				_, _, err := r.Platforms(t.Context(), ref, pull, auth)
				wantError(t, err, errdefs.ErrUnauthenticated)
				_, err = r.Config(t.Context(), ref, messages.Platform{}, pull, auth)
				wantError(t, err, errdefs.ErrUnauthenticated)
			}
			_, _, err := r.Platforms(t.Context(), ref, messages.PullNever, auth)
			wantError(t, err, errdefs.ErrNotFound)
		}
	}
	reg.asked()
	for _, ref := range refs {
		platforms(t, r, ref, messages.PullNever, alice) // still hers
	}
	reg.wantAsked()
}

// keychain gives everyone the same credentials, which may change.
type keychain struct{ user, password string }

func (k *keychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig{Username: k.user, Password: k.password}), nil
}

// TestKeychain renews a login between two asks: the session that was kept with
// the old one is replaced.
func TestKeychain(t *testing.T) {
	t.Parallel()
	reg, login := newRegistry(t), &keychain{user: "alice", password: "wonder"}
	r := image.NewResolver(image.WithKeychain(login))
	reg.index("app", "x", linuxAMD64)
	reg.guardWith(wantBasic)
	platforms(t, r, reg.host+"/app:x", messages.PullAlways, nil)

	login.password = "changed"
	reg.guardWith(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") == "Basic "+base64.StdEncoding.EncodeToString([]byte("alice:changed")) {
			return false
		}
		r.Header.Del("Authorization")
		return wantBasic(w, r)
	})
	platforms(t, r, reg.host+"/app:x", messages.PullAlways, nil)
}

// TestTokenThatRanOut has the registry forget the tokens it gave.
func TestTokenThatRanOut(t *testing.T) {
	t.Parallel()
	reg, r := newRegistry(t), newResolver()
	reg.index("app", "x", linuxAMD64)
	for _, issued := range []string{"first", "second"} {
		reg.guardWith(wantBearer(issued))
		platforms(t, r, reg.host+"/app:x", messages.PullAlways, alice)
	}
}

// TestDefaultKeychain reads a docker configuration; it changes the environment,
// so it runs alone.
func TestDefaultKeychain(t *testing.T) {
	reg := newRegistry(t)
	reg.index("app", "x", linuxAMD64)
	reg.guardWith(wantBasic)
	writeDockerConfig(t, reg.host, "alice:wonder")
	platforms(t, image.NewResolver(), reg.host+"/app:x", "", nil)
}
