package image_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

const get = "GET manifests"

// shapes are those that images have in registries, with the requests that
// learning their platforms takes.
var shapes = []struct {
	name  string
	put   func(r *testRegistry) v1.Descriptor
	want  string
	asked []string
}{
	{"index of several systems", func(r *testRegistry) v1.Descriptor {
		return r.index("app", "x", linuxAMD64, linuxARM64, windowsAMD64, v1.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.26100.1"})
	}, "linux/amd64 linux/arm64 windows(10.0.20348.2461)/amd64 windows(10.0.26100.1)/amd64", []string{get}},

	{"Docker manifest list", func(r *testRegistry) v1.Descriptor {
		a := r.imageAs(types.DockerManifestSchema2, types.DockerConfigJSON, "app", "", linuxAMD64, v1.Config{})
		a.Platform = &linuxAMD64
		return r.indexOf("app", "x", types.DockerManifestList, a)
	}, "linux/amd64", []string{get}},

	{"OCI image alone", func(r *testRegistry) v1.Descriptor {
		return r.image("app", "x", windowsAMD64, v1.Config{})
	}, "windows(10.0.20348.2461)/amd64", []string{get, "GET blobs"}},

	{"Docker image alone", func(r *testRegistry) v1.Descriptor {
		return r.imageAs(types.DockerManifestSchema2, types.DockerConfigJSON, "app", "x", linuxARM64, v1.Config{})
	}, "linux/arm64", []string{get, "GET blobs"}},

	{"variants of an architecture are one", func(r *testRegistry) v1.Descriptor {
		return r.index("app", "x", v1.Platform{OS: "linux", Architecture: "arm", Variant: "v6"},
			v1.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}, v1.Platform{OS: "linux", Architecture: "aarch64", Variant: "v8"})
	}, "linux/arm linux/arm64", []string{get}},

	{"a system that shunt does not run is named", func(r *testRegistry) v1.Descriptor {
		return r.index("app", "x", v1.Platform{OS: "freebsd", Architecture: "amd64"})
	}, "freebsd/amd64", []string{get}},

	{"nested indexes", func(r *testRegistry) v1.Descriptor {
		windows := r.index("app", "", windowsAMD64)
		a := r.image("app", "", linuxAMD64, v1.Config{})
		a.Platform = &linuxAMD64
		return r.indexOf("app", "x", types.OCIImageIndex, a, windows)
	}, "linux/amd64 windows(10.0.20348.2461)/amd64", []string{get, get}},

	{"entry without a platform", func(r *testRegistry) v1.Descriptor {
		a := r.image("app", "", linuxAMD64, v1.Config{})
		a.Platform = &linuxAMD64
		return r.indexOf("app", "x", types.OCIImageIndex, a, r.image("app", "", windowsAMD64, v1.Config{}))
	}, "linux/amd64 windows(10.0.20348.2461)/amd64", []string{get, get, "GET blobs"}},

	{"attestations and artifacts", func(r *testRegistry) v1.Descriptor {
		a := r.image("app", "", linuxAMD64, v1.Config{})
		a.Platform = &linuxAMD64
		unknown := r.image("app", "", v1.Platform{OS: "unknown", Architecture: "unknown"}, v1.Config{})
		unknown.Platform = &v1.Platform{OS: "unknown", Architecture: "unknown"}
		marked := r.image("app", "", linuxARM64, v1.Config{})
		marked.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest"}
		signature := r.image("app", "", linuxARM64, v1.Config{})
		signature.ArtifactType = "application/vnd.dev.sigstore.bundle"
		chart := r.imageAs(types.OCIManifestSchema1, "application/vnd.cncf.helm.config.v1+json", "app", "", linuxARM64, v1.Config{})
		text := r.blob("app", "text/plain", []byte("hello"))
		return r.indexOf("app", "x", types.OCIImageIndex, unknown, marked, signature, a, chart, text)
	}, "linux/amd64", []string{get, get}}, // the chart has to be read to be known

	{"platforms that are none", func(r *testRegistry) v1.Descriptor {
		return r.index("app", "x", v1.Platform{OS: "linux\n", Architecture: "amd64"}, linuxAMD64,
			v1.Platform{OS: "linux", Architecture: strings.Repeat("a", 99)})
	}, "linux/amd64", []string{get}},
}

func TestPlatformsOfEveryShape(t *testing.T) {
	t.Parallel()
	for _, tt := range shapes {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reg, r := newRegistry(t), newResolver()
			want := tt.put(reg).Digest.String()
			for _, ref := range []string{reg.host + "/app:x", reg.host + "/app@" + want} {
				digest, set := platforms(t, r, ref, "", nil)
				if digest != want || set != tt.want {
					t.Errorf("%s is %s with %q, want %s with %q", ref, digest, set, want, tt.want)
				}
			}
			reg.wantAsked(append(tt.asked, "HEAD manifests")...) // the digest is known by now
		})
	}
}

// TestWhatIsNoImage has hostile and foreign content, and the class that each is
// refused with.
func TestWhatIsNoImage(t *testing.T) {
	t.Parallel()
	config := `"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":2,"digest":"` + describe("", []byte("{}")).Digest.String() + `"}`
	tests := []struct {
		name      string
		mediaType types.MediaType
		doc       any
		class     error
		says      string
	}{
		{"schema 1", types.DockerManifestSchema1Signed, `{"schemaVersion":1,"fsLayers":[]}`, errdefs.ErrNotImplemented, "push the image again"},
		{"schema 1 in disguise", types.OCIManifestSchema1, `{"schemaVersion":1,"fsLayers":[]}`, errdefs.ErrNotImplemented, "schema 1"},
		{"not JSON", types.OCIManifestSchema1, `<html>`, errdefs.ErrDataLoss, "invalid character"},
		{"nothing", types.OCIManifestSchema1, ``, errdefs.ErrDataLoss, "unexpected end"},
		{"a digest that is none", types.OCIManifestSchema1, `{"config":{"digest":"md5:0"}}`, errdefs.ErrDataLoss, "md5"},
		{"both index and image", types.OCIManifestSchema1, `{"schemaVersion":2,"manifests":[],` + config + `}`, errdefs.ErrDataLoss, "both"},
		{"an index that claims to be an image", types.OCIManifestSchema1, `{"schemaVersion":2,"manifests":[]}`, errdefs.ErrDataLoss, "calls itself an image"},
		{"an image that claims to be an index", types.OCIManifestSchema1, `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",` + config + `}`, errdefs.ErrDataLoss, "calls itself an index"},
		{"neither", types.OCIManifestSchema1, `{"schemaVersion":2}`, errdefs.ErrFailedPrecondition, "neither"},
		{"an empty index", types.OCIImageIndex, `{"schemaVersion":2,"manifests":[]}`, errdefs.ErrFailedPrecondition, "no container image"},
		{"a config that is missing", types.OCIManifestSchema1, `{"schemaVersion":2,` + config + `}`, errdefs.ErrNotFound, "registry"},
		{"a Helm chart", types.OCIManifestSchema1, strings.Replace(`{"schemaVersion":2,`+config+`}`, "oci.image.config", "cncf.helm.config", 1), errdefs.ErrFailedPrecondition, "not a container image"},
		{"huge", types.OCIImageIndex, `{"schemaVersion":2,"manifests":[]}` + strings.Repeat(" ", 5<<20), errdefs.ErrFailedPrecondition, "larger than 4 MiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reg := newRegistry(t)
			if tt.doc == `` || tt.doc == `<html>` {
				reg.guardWith(serveManifest(tt.mediaType, tt.doc.(string)))
			} else {
				reg.manifest("app", "x", tt.mediaType, tt.doc)
			}
			_, _, err := newResolver().Platforms(t.Context(), reg.host+"/app:x", "", nil)
			wantError(t, err, tt.class, tt.says, reg.host+"/app:x", "registry "+reg.host)
		})
	}
}

// TestBoundsOfAnIndex has indexes that would keep a reader busy for ever.
func TestBoundsOfAnIndex(t *testing.T) {
	t.Parallel()
	index := func(entries ...v1.Descriptor) []byte {
		raw, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: entries})
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	self := describe(types.OCIImageIndex, []byte("an index that names itself, for a fetch that does not verify"))
	var wide, many []v1.Descriptor
	for i := range 300 {
		p := v1.Platform{OS: "linux", Architecture: "amd64"}
		entry := describe(types.OCIManifestSchema1, fmt.Append(nil, i))
		wide = append(wide, describe(types.OCIImageIndex, fmt.Append(nil, i)))
		p.OSVersion = fmt.Sprint(i)
		entry.Platform = &p
		many = append(many, entry)
	}
	tests := []struct {
		name  string
		root  []byte
		says  string
		reads int
	}{
		{"a cycle", index(self), "nested more than 4 deep", 5},
		{"many to read", index(wide...), "more than 64 manifests", 64},
		{"many platforms", index(many...), "more than 256 platforms", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root, reads := describe(types.OCIImageIndex, tt.root), 0
			_, err := image.PlatformsOf(t.Context(), root, func(_ context.Context, desc v1.Descriptor) ([]byte, error) {
				reads++
				switch desc.Digest {
				case root.Digest:
					return tt.root, nil
				case self.Digest:
					return index(self), nil
				}
				return index(), nil
			})
			wantError(t, err, errdefs.ErrFailedPrecondition, tt.says)
			if reads != tt.reads {
				t.Errorf("%d reads, want %d", reads, tt.reads)
			}
		})
	}
}

func TestPlatformsOfReturnsTheErrorOfFetch(t *testing.T) {
	t.Parallel()
	want := errors.New("the disk is gone")
	_, err := image.PlatformsOf(t.Context(), describe(types.OCIImageIndex, nil), func(context.Context, v1.Descriptor) ([]byte, error) {
		return nil, want
	})
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func FuzzPlatformsOf(f *testing.F) {
	f.Add(`{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","platform":{"os":"linux","architecture":"amd64"}}]}`)
	f.Add(`{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json"},"layers":[{"size":-1}],"os":"linux"}`)
	f.Add(`{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json"}]}`)
	f.Fuzz(func(t *testing.T, doc string) {
		got, err := image.PlatformsOf(t.Context(), v1.Descriptor{}, func(context.Context, v1.Descriptor) ([]byte, error) {
			return []byte(doc), nil
		})
		if (err == nil) != (len(got) > 0) {
			t.Fatalf("%d platforms and error %v", len(got), err)
		}
		for _, p := range got {
			if strings.ContainsAny(string(p.OS)+p.Arch+p.OSVersion, " \n/()") {
				t.Errorf("platform %q", p)
			}
			if _, ok := image.Select(got, messages.Platform{OS: p.OS, Arch: p.Arch}); !ok {
				t.Errorf("%q cannot be selected from %q", p, got)
			}
		}
	})
}
