package image_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// localStore is a Store in a map, by the normalised reference.
type localStore struct {
	mu    sync.Mutex
	held  map[string]string // reference: digest
	names map[string][]messages.Platform
	err   error
}

func (s *localStore) hold(ref, digest string, platforms ...messages.Platform) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held, s.names = map[string]string{}, map[string][]messages.Platform{}
	}
	s.held[ref], s.names[ref] = digest, platforms
}

func (s *localStore) Lookup(_ context.Context, ref string) (string, []messages.Platform, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return "", nil, s.err
	}
	digest, ok := s.held[ref]
	if !ok {
		return "", nil, fmt.Errorf("%s: %w", ref, errdefs.ErrNotFound)
	}
	return digest, s.names[ref], nil
}

func TestNeverAsksNobody(t *testing.T) {
	t.Parallel()
	reg, store := newRegistry(t), &localStore{}
	digest := reg.index("app", "x", linuxAMD64).Digest.String()
	r := newResolver(image.WithStore(store))
	ref := reg.host + "/app:x"

	_, _, err := r.Platforms(t.Context(), ref, messages.PullNever, nil)
	wantError(t, err, errdefs.ErrNotFound, ref, "never")
	_, err = r.Config(t.Context(), ref, messages.Platform{}, messages.PullNever, nil)
	wantError(t, err, errdefs.ErrNotFound, ref, "never")

	store.hold(ref, digest, messages.Platform{OS: "linux", Arch: "amd64"})
	if got, set := platforms(t, r, ref, messages.PullNever, nil); got != digest || set != "linux/amd64" {
		t.Errorf("got %s with %q", got, set)
	}
	if got := reg.all(); len(got) > 0 {
		t.Errorf("asked %q", got)
	}
}

func TestStoreFirst(t *testing.T) {
	t.Parallel()
	reg, store := newRegistry(t), &localStore{}
	r, ref := newResolver(image.WithStore(store)), reg.host+"/app:x"
	old := reg.index("app", "x", linuxAMD64).Digest.String()
	store.hold(ref, old, messages.Platform{OS: "linux", Arch: "amd64"})

	if digest, set := platforms(t, r, ref, messages.PullIfNotPresent, nil); digest != old || set != "linux/amd64" {
		t.Errorf("got %s with %q", digest, set)
	}
	if got := reg.all(); len(got) > 0 {
		t.Errorf("asked %q for what the store holds", got)
	}
	if digest, _ := platforms(t, r, ref, messages.PullAlways, nil); digest != old {
		t.Errorf("got %s", digest)
	}
	reg.wantAsked("HEAD manifests") // the store has told the rest

	moved := reg.index("app", "x", windowsAMD64).Digest.String()
	if digest, _ := platforms(t, r, ref, messages.PullNewer, nil); digest != moved {
		t.Errorf("newer gave %s, want %s", digest, moved)
	}
	if digest, _ := platforms(t, r, ref, messages.PullIfNotPresent, nil); digest != old {
		t.Errorf("if_not_present gave %s, want what is held: %s", digest, old)
	}
}

// TestStoreWhenTheRegistryIsAway has the policies differ.
func TestStoreWhenTheRegistryIsAway(t *testing.T) {
	t.Parallel()
	reg, store := newRegistry(t), &localStore{}
	r, ref := newResolver(image.WithStore(store)), reg.host+"/app:x"
	store.hold(ref, "sha256:"+strings.Repeat("1", 64), messages.Platform{OS: "linux", Arch: "amd64"})
	reg.guardWith(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	platforms(t, r, ref, messages.PullNewer, nil)
	_, _, err := r.Platforms(t.Context(), ref, messages.PullAlways, nil)
	wantError(t, err, errdefs.ErrUnavailable, ref)

	reg.guardWith(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	_, _, err = r.Platforms(t.Context(), ref, messages.PullNewer, nil)
	wantError(t, err, errdefs.ErrPermissionDenied, ref) // an answer, not an absence
}

func TestStoreThatFails(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t)
	r := newResolver(image.WithStore(&localStore{err: errors.New("containerd is away")}))
	reg.index("app", "x", linuxAMD64)

	_, _, err := r.Platforms(t.Context(), reg.host+"/app:x", messages.PullNever, nil)
	if err == nil || errdefs.IsNotFound(err) || !strings.Contains(err.Error(), "containerd is away") {
		t.Errorf("got %v, want the store's own error", err)
	}
	platforms(t, r, reg.host+"/app:x", "", nil) // the registry knows
	_, _, err = r.Platforms(t.Context(), reg.host+"/app:y", "", nil)
	wantError(t, err, errdefs.ErrNotFound, reg.host+"/app:y", "containerd is away")
}
