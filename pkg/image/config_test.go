package image_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func configOf(t *testing.T, r *image.Resolver, ref, platform string, pull messages.PullPolicy) image.Config {
	t.Helper()
	want, err := messages.ParsePlatform(platform)
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.Config(t.Context(), ref, want, pull, nil)
	if err != nil {
		t.Fatalf("Config(%q, %s): %v", ref, platform, err)
	}
	return c
}

func TestConfigOfAnImage(t *testing.T) {
	t.Parallel()
	reg, r := newRegistry(t), newResolver()
	said := v1.Config{
		Entrypoint: []string{"/bin/app"}, Cmd: []string{"serve"}, Env: []string{"A=1"},
		WorkingDir: "/srv", User: "1000:1000", StopSignal: "SIGINT",
	}
	desc := reg.image("app", "x", linuxAMD64, said)
	got := configOf(t, r, reg.host+"/app:x", "linux/amd64", "")
	want := image.Config{
		Entrypoint: said.Entrypoint, Cmd: said.Cmd, Env: said.Env,
		WorkingDir: "/srv", User: "1000:1000", StopSignal: "SIGINT",
		Digest: desc.Digest.String(), Manifest: desc.Digest.String(),
		Platform: messages.Platform{OS: "linux", Arch: "amd64"}, Size: got.Size,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	layer := int64(len("layer of linux/amd64"))
	if got.Size <= layer {
		t.Errorf("the size is %d, want the layer's %d and the config's", got.Size, layer)
	}
	reg.wantAsked("GET manifests", "GET blobs")

	got.Env[0] = "spoilt"
	if again := configOf(t, r, reg.host+"/app:x", "linux/amd64", messages.PullNever); again.Env[0] != "A=1" {
		t.Error("the remembered config is the caller's to spoil")
	}
	reg.wantAsked() // nor is it read again
}

func TestConfigForAPlatform(t *testing.T) {
	t.Parallel()
	reg, r := newRegistry(t), newResolver()
	root := reg.index("app", "x", linuxAMD64, windowsAMD64)
	ref := reg.host + "/app:x"
	platforms(t, r, ref, "", nil)
	reg.asked()

	c := configOf(t, r, ref, "windows(10.0.20348.1)/amd64", "")
	if fmt.Sprint(c.Cmd) != "[/hello windows amd64]" || c.Digest != root.Digest.String() || c.Manifest == c.Digest {
		t.Errorf("got %+v", c)
	}
	if c.Platform.OSVersion != windowsAMD64.OSVersion {
		t.Errorf("the platform is %s, want the image's own", c.Platform)
	}
	reg.wantAsked("GET manifests", "GET blobs")
	configOf(t, r, ref, "windows/amd64", messages.PullAlways)
	reg.wantAsked("HEAD manifests")

	for platform, says := range map[messages.Platform]string{
		{OS: "linux", Arch: "arm64"}:                              "not made for linux/arm64, only for linux/amd64, windows(10.0.20348.2461)/amd64",
		{OS: "windows", Arch: "amd64", OSVersion: "10.0.26100.1"}: "not made for windows(10.0.26100.1)/amd64",
	} {
		_, err := r.Config(t.Context(), ref, platform, "", nil)
		wantError(t, err, errdefs.ErrNotFound, ref, says)
	}
}

// TestConfigOfWhatTheStoreHolds has the store know the platforms only.
func TestConfigOfWhatTheStoreHolds(t *testing.T) {
	t.Parallel()
	reg, store := newRegistry(t), &localStore{}
	r, ref := newResolver(image.WithStore(store)), reg.host+"/app:x"
	store.hold(ref, reg.index("app", "x", linuxAMD64).Digest.String(), messages.Platform{OS: "linux", Arch: "amd64"})
	platforms(t, r, ref, "", nil)
	reg.wantAsked()
	if c := configOf(t, r, ref, "linux/amd64", ""); fmt.Sprint(c.Cmd) != "[/hello linux amd64]" {
		t.Errorf("got %+v", c)
	}
}

func TestConfigIsReadOnce(t *testing.T) {
	t.Parallel()
	reg, r := newRegistry(t), newResolver()
	reg.index("app", "x", linuxAMD64)
	platforms(t, r, reg.host+"/app:x", "", nil)
	reg.asked()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := r.Config(t.Context(), reg.host+"/app:x", messages.Platform{OS: "linux"}, "", nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	reg.wantAsked("GET manifests", "GET blobs")
}

// TestConfigsThatAreWrong is met with behind an index that promised an image.
func TestConfigsThatAreWrong(t *testing.T) {
	t.Parallel()
	promise := func(r *testRegistry, doc any) {
		entry := r.manifest("app", "", types.OCIManifestSchema1, doc)
		entry.Platform = &linuxAMD64
		r.indexOf("app", "x", types.OCIImageIndex, entry)
	}
	tests := []struct {
		name  string
		put   func(r *testRegistry)
		class error
		says  string
	}{
		{"an index", func(r *testRegistry) { promise(r, `{"schemaVersion":2,"manifests":[]}`) }, errdefs.ErrDataLoss, "calls itself an image"},
		{"not JSON", func(r *testRegistry) {
			promise(r, v1.Manifest{SchemaVersion: 2, Config: r.blob("app", types.OCIConfigJSON, []byte("?"))})
		}, errdefs.ErrDataLoss, "config sha256:"},
		{"a layer of less than nothing", func(r *testRegistry) {
			promise(r, v1.Manifest{SchemaVersion: 2, Config: r.blob("app", types.OCIConfigJSON, []byte("{}")), Layers: []v1.Descriptor{{Size: -1, Digest: describe("", nil).Digest}}})
		}, errdefs.ErrDataLoss, "-1 bytes"},
		{"a huge one", func(r *testRegistry) {
			promise(r, v1.Manifest{SchemaVersion: 2, Config: r.blob("app", types.OCIConfigJSON, []byte("{"+strings.Repeat(" ", 5<<20)+"}"))})
		}, errdefs.ErrFailedPrecondition, "larger than 4 MiB"},
		{"another one than was promised", func(r *testRegistry) {
			promise(r, v1.Manifest{SchemaVersion: 2, Config: r.blob("app", types.OCIConfigJSON, []byte("{}"))})
			r.guardWith(func(w http.ResponseWriter, req *http.Request) bool {
				if strings.Contains(req.URL.Path, "/blobs/") {
					fmt.Fprint(w, `[]`)
					return true
				}
				return false
			})
		}, errdefs.ErrDataLoss, "cannot be used"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reg := newRegistry(t)
			tt.put(reg)
			_, err := newResolver().Config(t.Context(), reg.host+"/app:x", messages.Platform{}, "", nil)
			wantError(t, err, tt.class, reg.host+"/app:x", tt.says)
		})
	}
}
