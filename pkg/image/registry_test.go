package image_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// testRegistry is go-containerregistry's registry behind a counter, and behind
// a guard that a test may set.
type testRegistry struct {
	t     *testing.T
	inner http.Handler
	host  string

	mu    sync.Mutex
	seen  []string // "METHOD path"
	guard func(w http.ResponseWriter, r *http.Request) (answered bool)
}

// newRegistry serves a registry on a port of the kernel's choice.
func newRegistry(t *testing.T) *testRegistry {
	t.Helper()
	reg := newSilentRegistry(t)
	server := httptest.NewServer(reg)
	t.Cleanup(server.Close)
	reg.host = strings.TrimPrefix(server.URL, "http://")
	return reg
}

// newSilentRegistry is one that no port serves.
func newSilentRegistry(t *testing.T) *testRegistry {
	return &testRegistry{t: t, inner: registry.New(registry.Logger(log.New(io.Discard, "", 0))), host: "registry.example"}
}

func (r *testRegistry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.seen = append(r.seen, req.Method+" "+req.URL.Path)
	guard := r.guard
	r.mu.Unlock()
	if guard != nil && guard(w, req) {
		return
	}
	r.inner.ServeHTTP(w, req)
}

func (r *testRegistry) guardWith(guard func(w http.ResponseWriter, r *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.guard = guard
}

// asked is what was asked for since the last call: handshakes are left out.
func (r *testRegistry) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var asked []string
	for _, s := range r.seen {
		if !strings.HasSuffix(s, "/v2/") && !strings.HasSuffix(s, "/token") {
			asked = append(asked, s)
		}
	}
	r.seen = nil
	return asked
}

// all is every request since the last call.
func (r *testRegistry) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.seen
	r.seen = nil
	return all
}

// wantAsked compares the requests since the last call, by method and kind:
// "HEAD manifests".
func (r *testRegistry) wantAsked(want ...string) {
	r.t.Helper()
	var got []string
	for _, s := range r.asked() {
		parts := strings.Split(s, "/")
		got = append(got, strings.Fields(s)[0]+" "+parts[len(parts)-2])
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		r.t.Errorf("the registry was asked %q, want %q", got, want)
	}
}

// send puts something into the registry, uncounted.
func (r *testRegistry) send(method, path, contentType string, body []byte) {
	r.t.Helper()
	req := httptest.NewRequest(method, path, bytes.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	r.inner.ServeHTTP(w, req)
	if w.Code >= 300 {
		r.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
}

func describe(mediaType types.MediaType, content []byte) v1.Descriptor {
	digest, size, _ := v1.SHA256(bytes.NewReader(content))
	return v1.Descriptor{MediaType: mediaType, Digest: digest, Size: size}
}

func (r *testRegistry) blob(repo string, mediaType types.MediaType, content []byte) v1.Descriptor {
	r.t.Helper()
	desc := describe(mediaType, content)
	r.send(http.MethodPost, "/v2/"+repo+"/blobs/uploads/?digest="+desc.Digest.String(), "application/octet-stream", content)
	return desc
}

// manifest puts doc under tag, as it is if it is a string.
func (r *testRegistry) manifest(repo, tag string, mediaType types.MediaType, doc any) v1.Descriptor {
	r.t.Helper()
	raw, ok := doc.(string)
	if !ok {
		b, err := json.Marshal(doc)
		if err != nil {
			r.t.Fatal(err)
		}
		raw = string(b)
	}
	desc := describe(mediaType, []byte(raw))
	if tag == "" {
		tag = desc.Digest.String()
	}
	r.send(http.MethodPut, "/v2/"+repo+"/manifests/"+tag, string(mediaType), []byte(raw))
	return desc
}

// image puts a whole image for one platform under tag.
func (r *testRegistry) image(repo, tag string, p v1.Platform, config v1.Config) v1.Descriptor {
	r.t.Helper()
	return r.imageAs(types.OCIManifestSchema1, types.OCIConfigJSON, repo, tag, p, config)
}

func (r *testRegistry) imageAs(manifest, configType types.MediaType, repo, tag string, p v1.Platform, config v1.Config) v1.Descriptor {
	r.t.Helper()
	file, err := json.Marshal(v1.ConfigFile{OS: p.OS, Architecture: p.Architecture, OSVersion: p.OSVersion, Variant: p.Variant, Config: config})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.manifest(repo, tag, manifest, v1.Manifest{
		SchemaVersion: 2, MediaType: manifest,
		Config: r.blob(repo, configType, file),
		Layers: []v1.Descriptor{r.blob(repo, types.OCILayer, []byte("layer of "+p.String()))},
	})
}

// index puts an index of images, each with its platform in it, under tag.
func (r *testRegistry) index(repo, tag string, platforms ...v1.Platform) v1.Descriptor {
	r.t.Helper()
	var entries []v1.Descriptor
	for _, p := range platforms {
		desc := r.image(repo, "", p, v1.Config{Cmd: []string{"/hello", p.OS, p.Architecture}})
		desc.Platform = &p
		entries = append(entries, desc)
	}
	return r.indexOf(repo, tag, types.OCIImageIndex, entries...)
}

func (r *testRegistry) indexOf(repo, tag string, mediaType types.MediaType, entries ...v1.Descriptor) v1.Descriptor {
	r.t.Helper()
	return r.manifest(repo, tag, mediaType, v1.IndexManifest{SchemaVersion: 2, MediaType: mediaType, Manifests: entries})
}

var (
	linuxAMD64   = v1.Platform{OS: "linux", Architecture: "amd64"}
	linuxARM64   = v1.Platform{OS: "linux", Architecture: "arm64"}
	windowsAMD64 = v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.20348.2461"}
)

// anonymous keeps the credentials of whoever runs the tests out of them.
type anonymous struct{}

func (anonymous) Resolve(authn.Resource) (authn.Authenticator, error) { return authn.Anonymous, nil }

func newResolver(opts ...image.Option) *image.Resolver {
	return image.NewResolver(append([]image.Option{image.WithKeychain(anonymous{})}, opts...)...)
}

// platforms asks, and expects an answer: the platforms as text.
func platforms(t *testing.T, r *image.Resolver, ref string, pull messages.PullPolicy, auth *messages.RegistryAuth) (digest, set string) {
	t.Helper()
	digest, got, err := r.Platforms(t.Context(), ref, pull, auth)
	if err != nil {
		t.Fatalf("Platforms(%q, %q): %v", ref, pull, err)
	}
	return digest, texts(got)
}

func texts(platforms []messages.Platform) string {
	var s []string
	for _, p := range platforms {
		s = append(s, p.String())
	}
	return strings.Join(s, " ")
}
