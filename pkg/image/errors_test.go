package image_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// wantError wants an error of a class whose text has every part.
func wantError(t *testing.T, err, class error, parts ...string) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Errorf("got %v, want class %v", err, class)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
	if len(err.Error()) > 2<<10 {
		t.Errorf("the error has %d bytes", len(err.Error()))
	}
}

// serveManifest answers every manifest with the same text.
func serveManifest(mediaType types.MediaType, text string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/manifests/") {
			return false
		}
		w.Header().Set("Content-Type", string(mediaType))
		fmt.Fprint(w, text)
		return true
	}
}

func TestClassOfStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]error{
		400: errdefs.ErrInvalidArgument,
		401: errdefs.ErrUnauthenticated,
		403: errdefs.ErrPermissionDenied,
		404: errdefs.ErrNotFound,
		408: errdefs.ErrUnavailable,
		418: errdefs.ErrUnknown,
		429: errdefs.ErrUnavailable,
		500: errdefs.ErrUnavailable,
		503: errdefs.ErrUnavailable,
	} {
		for _, path := range []string{"/v2/", "/manifests/"} { // the handshake, and behind it
			class := want
			if path == "/v2/" && status == 401 {
				continue // not an error there, but the question for credentials
			}
			if path == "/v2/" && status == 400 {
				class = errdefs.ErrUnavailable // nothing of the asker's was in it
			}
			t.Run(fmt.Sprint(status, path), func(t *testing.T) {
				t.Parallel()
				reg := newRegistry(t)
				reg.index("app", "x", linuxAMD64)
				reg.guardWith(func(w http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.URL.Path, path) && (path == "/v2/" || !strings.Contains(r.URL.Path, path)) {
						return false
					}
					w.WriteHeader(status)
					fmt.Fprint(w, strings.Repeat("no ", 10_000))
					return true
				})
				_, _, err := newResolver().Platforms(t.Context(), reg.host+"/app:x", "", nil)
				wantError(t, err, class, reg.host+"/app:x", "registry "+reg.host)
				if got := len(reg.asked()); got > 1 {
					t.Errorf("asked %d times; retrying is the caller's decision", got)
				}
			})
		}
	}
}

func TestUnknownNameAndTag(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	reg.index("app", "x", linuxAMD64)
	for ref, says := range map[string]string{"/app:y": "MANIFEST_UNKNOWN", "/nobody:x": "NAME_UNKNOWN"} {
		_, _, err := newResolver().Platforms(t.Context(), reg.host+ref, "", nil)
		wantError(t, err, errdefs.ErrNotFound, says, reg.host+ref)
	}
}

func TestRegistryThatIsNotThere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	host := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	_, _, err := newResolver().Platforms(t.Context(), host+"/app:x", "", nil)
	wantError(t, err, errdefs.ErrUnavailable, host+"/app:x", "registry "+host)
}

func TestRegistryThatHangsUp(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	reg.guardWith(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "{")
		return true
	})
	_, _, err := newResolver().Platforms(t.Context(), reg.host+"/app:x", "", nil)
	wantError(t, err, errdefs.ErrUnavailable, reg.host+"/app:x")
}

func TestManifestOfAnotherDigest(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	reg.guardWith(serveManifest(types.OCIImageIndex, `{"schemaVersion":2,"manifests":[]}`))
	_, _, err := newResolver().Platforms(t.Context(), reg.host+"/app@sha256:"+strings.Repeat("0", 64), "", nil)
	wantError(t, err, errdefs.ErrDataLoss, "does not match")
}

func TestWrongQuestions(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	tests := []struct {
		ref  string
		pull messages.PullPolicy
		auth *messages.RegistryAuth
		says string
	}{
		{"", "", nil, "image:"},
		{"Upper/Case", "", nil, `"Upper/Case"`},
		{"https://registry.example/app", "", nil, "want [registry/]name"},
		{"app@sha256:12", "", nil, "sha256:12"},
		{strings.Repeat("a/", 10_000), "", nil, "image:"},
		{reg.host + "/app", "sometimes", nil, `pull: "sometimes" is not a policy; want always`},
		{reg.host + "/app", "", &messages.RegistryAuth{Username: "u", Password: "hush", Kind: "magic"}, `registry_auth.kind: "magic" is not known; want basic or token`},
	}
	for _, tt := range tests {
		_, _, err := newResolver().Platforms(t.Context(), tt.ref, tt.pull, tt.auth)
		wantError(t, err, errdefs.ErrInvalidArgument, tt.says)
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%q tells the secret", err)
		}
	}
	if got := reg.all(); len(got) > 0 {
		t.Errorf("asked %q", got)
	}
}

type brokenKeychain struct{}

func (brokenKeychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return nil, errors.New("config.json: unexpected end")
}

func TestWrongSettings(t *testing.T) {
	t.Parallel()
	_, _, err := image.NewResolver(image.WithKeychain(brokenKeychain{})).Platforms(t.Context(), "127.0.0.1:1/app", "", nil)
	wantError(t, err, errdefs.ErrFailedPrecondition, "keychain", "config.json: unexpected end")

	_, _, err = newResolver(image.WithEndpoints(at(image.Endpoint{Host: "http://mirror/v2"}))).
		Platforms(t.Context(), "nginx", "", nil)
	wantError(t, err, errdefs.ErrFailedPrecondition, "endpoint of registry docker.io", "want host[:port]")
}

func TestCallersOwnEnd(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := newResolver().Platforms(ctx, reg.host+"/app:x", "", nil)
	if !errdefs.IsCanceled(err) || errdefs.IsUnavailable(err) {
		t.Errorf("got %v, want canceled", err)
	}
	if got := reg.all(); len(got) > 0 {
		t.Errorf("asked %q for nobody", got)
	}
}
