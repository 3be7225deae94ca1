package image_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestMovedTag asks twice, and moves the tag in between.
func TestMovedTag(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pull  messages.PullPolicy
		ttl   bool
		moves bool // the second ask sees it
		asked []string
	}{
		{messages.PullAlways, true, true, []string{"HEAD manifests", "GET manifests"}},
		{messages.PullNewer, true, true, []string{"HEAD manifests", "GET manifests"}},
		{messages.PullIfNotPresent, true, false, nil},
		{messages.PullIfNotPresent, false, true, []string{"HEAD manifests", "GET manifests"}},
		{messages.PullNever, true, false, nil},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s ttl %v", tt.pull, tt.ttl), func(t *testing.T) {
			t.Parallel()
			var opts []image.Option
			if !tt.ttl {
				opts = append(opts, image.WithTagTTL(0))
			}
			reg, r := newRegistry(t), newResolver(opts...)
			before := reg.index("app", "x", linuxAMD64).Digest.String()
			platforms(t, r, reg.host+"/app:x", messages.PullAlways, nil)
			after := reg.index("app", "x", windowsAMD64).Digest.String()
			reg.wantAsked("GET manifests")

			want := before
			if tt.moves {
				want = after
			}
			if digest, _ := platforms(t, r, reg.host+"/app:x", tt.pull, nil); digest != want {
				t.Errorf("the digest is %s, want %s", digest, want)
			}
			reg.wantAsked(tt.asked...)
		})
	}
}

// TestKnownDigestIsNotReadAgain reaches one image by tags, by digest and by
// another repository, over a single handshake for each.
func TestKnownDigestIsNotReadAgain(t *testing.T) {
	t.Parallel()
	reg, r := newRegistry(t), newResolver()
	digest := reg.image("app", "x", linuxAMD64, v1.Config{}).Digest.String()
	reg.image("app", "latest", linuxAMD64, v1.Config{})
	reg.image("copy", "x", linuxAMD64, v1.Config{})
	for _, step := range []struct {
		ref   string
		pull  messages.PullPolicy
		asked []string
	}{
		{"/app:x", messages.PullAlways, []string{"GET manifests", "GET blobs"}},
		{"/app:x", messages.PullAlways, []string{"HEAD manifests"}},
		{"/app:x", messages.PullNewer, []string{"HEAD manifests"}},
		{"/app:x", messages.PullIfNotPresent, nil},
		{"/app", messages.PullIfNotPresent, []string{"HEAD manifests"}},
		{"/app@" + digest, messages.PullAlways, []string{"HEAD manifests"}}, // may this caller?
		{"/app@" + digest, messages.PullAlways, nil},                        // a digest does not move
		{"/app:x@" + digest, messages.PullAlways, nil},
		{"/copy:x", messages.PullIfNotPresent, []string{"GET manifests"}}, // but no config
	} {
		if got, set := platforms(t, r, reg.host+step.ref, step.pull, nil); got != digest || set != "linux/amd64" {
			t.Errorf("%s is %s with %q", step.ref, got, set)
		}
		reg.wantAsked(step.asked...)
	}
}

func TestHandshakeIsUsedAgain(t *testing.T) {
	t.Parallel()
	reg, r := newRegistry(t), newResolver()
	reg.index("app", "x", linuxAMD64)
	for range 3 {
		platforms(t, r, reg.host+"/app:x", messages.PullAlways, nil)
	}
	handshakes := 0
	for _, request := range reg.all() {
		if strings.HasSuffix(request, "/v2/") {
			handshakes++
		}
	}
	if handshakes != 1 {
		t.Errorf("%d handshakes, want 1", handshakes)
	}
}

// TestHeadThatSaysNothing has registries whose HEAD is of no use: the manifest
// is read, and what it refers to is not read again.
func TestHeadThatSaysNothing(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(w http.ResponseWriter){
		"no digest":   func(w http.ResponseWriter) { w.Header().Set("Content-Type", "application/json") },
		"not allowed": func(w http.ResponseWriter) { w.WriteHeader(http.StatusMethodNotAllowed) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reg, r := newRegistry(t), newResolver()
			reg.image("app", "x", linuxAMD64, v1.Config{})
			reg.guardWith(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodHead {
					answer(w)
				}
				return r.Method == http.MethodHead
			})
			platforms(t, r, reg.host+"/app:x", messages.PullAlways, nil)
			reg.asked()
			platforms(t, r, reg.host+"/app:x", messages.PullAlways, nil)
			reg.wantAsked("HEAD manifests", "GET manifests")
		})
	}
}

func TestNamesOfOneImage(t *testing.T) {
	t.Parallel()
	const full = "docker.io/library/nginx:latest"
	store := &localStore{}
	store.hold(full, "sha256:"+strings.Repeat("1", 64), messages.Platform{OS: "linux", Arch: "amd64"})
	r := newResolver(image.WithStore(store))
	for _, ref := range []string{"nginx", "nginx:latest", "library/nginx", "docker.io/nginx", "docker.io/library/nginx:latest", "index.docker.io/library/nginx"} {
		platforms(t, r, ref, messages.PullNever, nil)
		if got, err := image.Normalize(ref); err != nil || got != full {
			t.Errorf("Normalize(%q) = %q, %v", ref, got, err)
		}
	}
	for ref, want := range map[string]string{
		"registry.example:5000/a/b":                                  "registry.example:5000/a/b:latest",
		"nginx:1@sha256:" + strings.Repeat("1", 64):                  "docker.io/library/nginx@sha256:" + strings.Repeat("1", 64),
		"localhost/app:1":                                            "localhost/app:1",
		"index.docker.io/team/app@sha256:" + strings.Repeat("2", 64): "docker.io/team/app@sha256:" + strings.Repeat("2", 64),
	} {
		if got, err := image.Normalize(ref); err != nil || got != want {
			t.Errorf("Normalize(%q) = %q, %v; want %q", ref, got, err, want)
		}
	}
	if _, err := image.Normalize("::"); !errdefs.IsInvalidArgument(err) {
		t.Errorf("got %v", err)
	}
}

// TestCacheIsBounded asks for more images than are remembered.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	reg, r := newRegistry(t), newResolver(image.WithCacheSize(2))
	ask := func(i int) {
		t.Helper()
		platforms(t, r, fmt.Sprintf("%s/app%d:x", reg.host, i), "", nil)
	}
	for i := range 3 {
		reg.index(fmt.Sprintf("app%d", i), "x", v1.Platform{OS: "linux", Architecture: fmt.Sprintf("a%d", i)})
		ask(i)
	}
	reg.asked()
	ask(2)
	ask(1)
	reg.wantAsked()
	ask(0) // forgotten, and now 2 is
	reg.wantAsked("GET manifests")
	ask(1)
	reg.wantAsked()
	ask(2)
	if got := reg.asked(); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "GET") }) {
		t.Errorf("asked %q, want what was forgotten to be read", got)
	}
}

func TestAnswerIsTheCallers(t *testing.T) {
	t.Parallel()
	reg, r := newRegistry(t), newResolver()
	reg.index("app", "x", linuxAMD64)
	_, first, err := r.Platforms(t.Context(), reg.host+"/app:x", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	first[0].OS = "spoilt"
	if _, set := platforms(t, r, reg.host+"/app:x", "", nil); set != "linux/amd64" {
		t.Errorf("got %q", set)
	}
}
