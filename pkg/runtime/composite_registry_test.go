package runtime_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/shunt-fleet/shunt/pkg/image"
)

// testRegistry is a registry in this process that stands for every registry,
// and counts what it is asked.
type testRegistry struct {
	host     string
	requests atomic.Int64
	broken   atomic.Bool // answers 500 to everything
}

func newRegistry(t *testing.T) *testRegistry {
	t.Helper()
	reg := &testRegistry{}
	store := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reg.requests.Add(1)
		if reg.broken.Load() {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	reg.host = strings.TrimPrefix(server.URL, "http://")
	return reg
}

func (reg *testRegistry) resolver(opts ...image.Option) *image.Resolver {
	return image.NewResolver(append([]image.Option{
		image.WithEndpoints(func(context.Context, string) ([]image.Endpoint, error) {
			return []image.Endpoint{{Host: reg.host, Insecure: true}}, nil
		}),
		image.WithKeychain(authn.NewMultiKeychain()),
	}, opts...)...)
}

// push makes ref an image for the platforms: one that stands alone for one, an
// index for several. A platform "" is a config that names none.
func (reg *testRegistry) push(t *testing.T, ref string, platforms ...string) {
	t.Helper()
	named, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	at, err := name.NewTag(reg.host+"/"+named.Context().RepositoryStr()+":"+named.Identifier(), name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if len(platforms) == 1 {
		err = remote.Write(at, imageFor(t, platforms[0]))
	} else {
		var index v1.ImageIndex = empty.Index
		for _, p := range platforms {
			index = mutate.AppendManifests(index, mutate.IndexAddendum{
				Add:        imageFor(t, p),
				Descriptor: v1.Descriptor{Platform: v1PlatformOf(p)},
			})
		}
		err = remote.WriteIndex(at, index)
	}
	if err != nil {
		t.Fatal(err)
	}
	reg.requests.Store(0)
}

func imageFor(t *testing.T, platform string) v1.Image {
	t.Helper()
	img, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "", ""
	if platform != "" {
		p := v1PlatformOf(platform)
		config.OS, config.Architecture, config.OSVersion = p.OS, p.Architecture, p.OSVersion
	}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		t.Fatal(err)
	}
	return img
}

func v1PlatformOf(s string) *v1.Platform {
	p := plat(s)
	return &v1.Platform{OS: string(p.OS), Architecture: p.Arch, OSVersion: p.OSVersion}
}
