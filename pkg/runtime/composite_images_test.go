package runtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

var (
	errRefused = errors.New("no matching manifest for windows/amd64")
	errAway    = errdefs.ErrUnavailable.WithMessage("the pipe is closed")
)

// The seed pulls to the primary before anything is decided: a Linux image fails
// there, and neither the delegate nor a peer is ever thought of.
func TestWeakPoint01_PullDecidesFirst(t *testing.T) {
	t.Run("a peer", func(t *testing.T) {
		s := newSeed(t, false)
		s.registry.push(t, nginx, "linux/amd64")
		s.primary.fail("Pull", errRefused)
		_, err := s.Pull(t.Context(), nginx, runtime.PullOptions{})
		wantRemedies(t, wantRoute(t, err, ""))
		if by := s.calls.by("Pull"); by != nil {
			t.Errorf("pulled by %v before the decision", by)
		}
	})
	t.Run("the delegate", func(t *testing.T) {
		s := newSeed(t, true)
		s.registry.push(t, nginx, "linux/amd64")
		s.primary.fail("Pull", errRefused)
		pull(t, s, nginx, runtime.PullOptions{})
		if by := s.calls.by("Pull"); !slices.Equal(by, []string{"delegate"}) {
			t.Errorf("pulled by %v, want the delegate alone", by)
		}
		if got := s.delegate.pulls[0].Platform; got != plat("linux/amd64") {
			t.Errorf("pulled as %v, want linux/amd64", got)
		}
	})
	t.Run("a named platform counts", func(t *testing.T) {
		s := newSeed(t, true)
		pull(t, s, nginx, runtime.PullOptions{Platform: plat("linux/amd64")})
		if by := s.calls.by("Pull"); !slices.Equal(by, []string{"delegate"}) {
			t.Errorf("pulled by %v, want the delegate alone", by)
		}
		if n := s.registry.requests.Load(); n != 0 {
			t.Errorf("%d requests for what the caller has decided", n)
		}
	})
}

// The seed looks for the host's own entry in an index: one without it is an
// error, and the systems it does have are never known.
func TestWeakPoint02_TheWholeSetOfPlatforms(t *testing.T) {
	s := newSeed(t, false)
	s.registry.push(t, nginx, "linux/amd64", "linux/arm64")
	_, err := s.Decide(t.Context(), "web", specOf(nginx, ""), nil)
	v := wantRoute(t, err, "web")
	wantRemedies(t, v)
	want := []messages.Platform{plat("linux/amd64"), plat("linux/arm64")}
	if diff := cmp.Diff(want, v.Platforms); diff != "" {
		t.Errorf("what would do (-want +got):\n%s", diff)
	}

	both := newSeed(t, true)
	both.registry.push(t, nginx, "linux/amd64", "windows/amd64")
	d, err := both.Decide(t.Context(), "web", specOf(nginx, ""), nil)
	must(t, err)
	if d.Member != "primary" || d.Platform != plat("windows/amd64") || len(d.Platforms) != 2 || d.Digest == "" {
		t.Errorf("decided %+v, want the primary, as windows/amd64 of two", d)
	}
}

// The seed gives up when the primary's pull fails, and calls a pull done that
// nobody did; Create then goes to the primary, which has nothing.
func TestWeakPoint05_APullIsDoneIfAnybodyDidIt(t *testing.T) {
	s, ctx := newSeed(t, true), t.Context()
	s.primary.needImage, s.delegate.needImage = true, true
	s.primary.fail("Pull", errRefused)
	info, err := s.Pull(ctx, ghost, runtime.PullOptions{})
	must(t, err)
	if info.Runtime != "delegate" {
		t.Errorf("the image is with %q, want the delegate", info.Runtime)
	}
	must(t, s.Create(ctx, cid("web", 0), specOf(ghost, ""), runtime.CreateOptions{}))
	if !s.delegate.holds(cid("web", 0)) {
		t.Error("the container is not where the image is")
	}

	s.delegate.fail("Pull", errAway)
	_, err = s.Pull(ctx, ghost, runtime.PullOptions{})
	if !errors.Is(err, errRefused) || !errdefs.IsUnavailable(err) {
		t.Errorf("got %v, want the errors of both", err)
	}
	for _, name := range []string{"primary", "delegate"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%v does not name the %s", err, name)
		}
	}
}

// The seed remembers an image's system under the string it was asked for: a tag
// that moved, another way to write it or a second tag is not known, and nothing
// is ever forgotten.
func TestWeakPoint07_ImagesAreKnownByDigest(t *testing.T) {
	ctx := t.Context()
	decide := func(t *testing.T, s *seed, ref string, policy messages.PullPolicy, want string) {
		t.Helper()
		spec := specOf(ref, "")
		spec.Pull = policy
		d, err := s.Decide(ctx, "web", spec, nil)
		must(t, err)
		if d.Member != want {
			t.Errorf("%s goes to the %s, want the %s", ref, d.Member, want)
		}
	}
	t.Run("a moved tag", func(t *testing.T) {
		s := newSeed(t, true)
		s.registry.push(t, nginx, "linux/amd64")
		decide(t, s, nginx, messages.PullAlways, "delegate")
		s.registry.push(t, nginx, "windows/amd64")
		decide(t, s, nginx, messages.PullAlways, "primary")
	})
	t.Run("another way to write it", func(t *testing.T) {
		s := newSeed(t, true)
		s.registry.push(t, "docker.io/library/nginx:latest", "linux/amd64")
		decide(t, s, "nginx", "", "delegate")
		s.registry.requests.Store(0)
		decide(t, s, "docker.io/library/nginx:latest", "", "delegate")
		if n := s.registry.requests.Load(); n != 0 {
			t.Errorf("%d requests for what is known", n)
		}
	})
	t.Run("a second tag", func(t *testing.T) {
		s := newSeed(t, true)
		s.registry.push(t, nginx, "linux/amd64")
		store := &tags{digest: map[string]string{}, resolver: s.resolver}
		s.Composite = compose(t, s.registry.resolver(image.WithStore(store)), s.primary, store.over(s.delegate))
		pull(t, s, nginx, runtime.PullOptions{})
		must(t, s.TagImage(ctx, nginx, "registry.example/mine:1"))
		decide(t, s, "registry.example/mine:1", messages.PullNever, "delegate")
	})
	t.Run("nothing is kept here", func(t *testing.T) {
		log := &calls{}
		resolver := knows(nginx, "linux/amd64")
		c := compose(t, resolver, newFake("primary", log, "linux/amd64"))
		for range 2 {
			_, err := c.Decide(ctx, "web", specOf(nginx, ""), nil)
			must(t, err)
		}
		if n := len(resolver.asks); n != 2 {
			t.Errorf("the resolver was asked %d times in 2 decisions: it alone remembers", n)
		}
	})
}

// tags is a local store: what was pulled and tagged.
type tags struct {
	runtime.Runtime
	digest   map[string]string // reference -> the one it was pulled as
	resolver *image.Resolver
}

func (s *tags) over(rt runtime.Runtime) runtime.Runtime {
	s.Runtime = rt
	return s
}

func (s *tags) Pull(ctx context.Context, ref string, opts runtime.PullOptions) (runtime.ImageInfo, error) {
	s.digest[ref] = ref
	return s.Runtime.Pull(ctx, ref, opts)
}

func (s *tags) TagImage(_ context.Context, source, target string) error {
	s.digest[target] = s.digest[source]
	return nil
}

func (s *tags) Lookup(ctx context.Context, ref string) (string, []messages.Platform, error) {
	pulled, ok := s.digest[ref]
	if !ok {
		return "", nil, errdefs.ErrNotFound
	}
	return s.resolver.Platforms(ctx, pulled, "", nil)
}

// The seed asks a registry again after the pull, with the node's own
// credentials at times, whatever the pull policy, and although the image lies
// in the local store.
func TestWeakPoint08_OneReadUnderTheJobsTerms(t *testing.T) {
	ctx, log := t.Context(), &calls{}
	resolver := knows(nginx, "linux/amd64")
	delegate := newFake("delegate", log, "linux/amd64")
	c := compose(t, resolver, newFake("primary", log, "windows/amd64"), delegate)
	auth := &messages.RegistryAuth{Username: "job", Password: "secret"}

	spec := specOf(nginx, "")
	spec.Pull = messages.PullNewer
	d, err := c.Decide(ctx, "web", spec, auth)
	must(t, err)
	_, err = c.Pull(ctx, nginx, runtime.PullOptions{Policy: spec.Pull, Auth: auth, Platform: d.Platform})
	must(t, err)
	must(t, c.Create(ctx, cid("web", 0), spec, runtime.CreateOptions{Platform: d.Platform}))

	if len(resolver.asks) != 1 {
		t.Fatalf("asked %d times, want once: %v", len(resolver.asks), resolver.asks)
	}
	if got := resolver.asks[0]; got != (ask{nginx, messages.PullNewer, auth}) {
		t.Errorf("asked %+v, want the job's own policy and credentials", got)
	}
	if got := delegate.pulls[0]; got.Auth != auth || got.Policy != messages.PullNewer {
		t.Errorf("pulled with %+v, want the job's own policy and credentials", got)
	}

	_, err = c.Pull(ctx, nginx, runtime.PullOptions{Policy: messages.PullAlways, Auth: auth})
	must(t, err)
	if got := resolver.asks[1]; got != (ask{nginx, messages.PullAlways, auth}) {
		t.Errorf("asked %+v for a pull, want its own policy and credentials", got)
	}

	s := newSeed(t, true)
	s.registry.push(t, nginx, "linux/amd64")
	spec.Pull = messages.PullNever
	if _, err := s.Decide(ctx, "web", spec, nil); err != nil {
		t.Fatal(err)
	}
	pull(t, s, nginx, runtime.PullOptions{Policy: messages.PullNever})
	if n := s.registry.requests.Load(); n != 0 {
		t.Errorf("%d requests under the policy never", n)
	}
}
