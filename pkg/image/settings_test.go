package image_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/shunt-fleet/shunt/pkg/image"
)

// writeDockerConfig gives the test a home with a login for host.
func writeDockerConfig(t *testing.T, host, login string) {
	t.Helper()
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("DOCKER_CONFIG", filepath.Join(home, ".docker"))
	if err := os.Mkdir(filepath.Join(home, ".docker"), 0o700); err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, base64.StdEncoding.EncodeToString([]byte(login)))
	if err := os.WriteFile(filepath.Join(home, ".docker", "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// at has all registries reached at the endpoints.
func at(endpoints ...image.Endpoint) func(context.Context, string) ([]image.Endpoint, error) {
	return func(context.Context, string) ([]image.Endpoint, error) { return endpoints, nil }
}

// TestEndpoint reaches Docker Hub at a mirror.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	want := reg.index("library/nginx", "latest", linuxAMD64).Digest.String()
	var asked string
	r := newResolver(image.WithEndpoints(func(_ context.Context, host string) ([]image.Endpoint, error) {
		asked = host
		return []image.Endpoint{{Host: reg.host, Insecure: true}}, nil
	}))
	for _, ref := range []string{"nginx", "nginx@" + want} {
		if digest, _ := platforms(t, r, ref, "", nil); digest != want || asked != "docker.io" {
			t.Errorf("%s is %s at %s", ref, digest, asked)
		}
	}
	_, _, err := r.Platforms(t.Context(), "nginx:9", "", nil)
	wantError(t, err, errdefs.ErrNotFound, "image docker.io/library/nginx:9", "registry docker.io")
}

// TestPlainHTTP is for registries that are told to be plain only: the name is
// not one that go-containerregistry takes for local.
func TestPlainHTTP(t *testing.T) {
	t.Parallel()
	for insecure, class := range map[bool]error{true: nil, false: errdefs.ErrUnavailable} {
		reg := newSilentRegistry(t)
		reg.index("app", "x", linuxAMD64)
		r := newResolver(
			image.WithTransport(roundTrip(func(req *http.Request) (*http.Response, error) {
				if req.URL.Scheme != "http" {
					return nil, fmt.Errorf("no TLS here")
				}
				return inProcess{reg}.RoundTrip(req)
			})),
			image.WithEndpoints(at(image.Endpoint{Insecure: insecure})))
		_, _, err := r.Platforms(t.Context(), "registry.example/app:x", "", nil)
		if class == nil && err != nil {
			t.Error(err)
		} else if class != nil {
			wantError(t, err, class, "registry.example")
		}
	}
}

// TestOwnAuthority reaches a registry by TLS, whose authority has to be known.
func TestOwnAuthority(t *testing.T) {
	t.Parallel()
	reg := newSilentRegistry(t)
	server := httptest.NewUnstartedServer(reg)
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	reg.index("app", "x", linuxAMD64)
	ref := strings.TrimPrefix(server.URL, "https://") + "/app:x"

	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	own := remote.DefaultTransport.(*http.Transport).Clone()
	own.TLSClientConfig.RootCAs = roots
	platforms(t, newResolver(image.WithTransport(own)), ref, "", nil)

	_, _, err := newResolver().Platforms(t.Context(), ref, "", nil)
	wantError(t, err, errdefs.ErrUnavailable, ref)
}
