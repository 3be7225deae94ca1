package runtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

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

// The seed's table dies with the process: after a restart every container is
// NotFound, though it runs.
func TestWeakPoint06_ContainersAreFoundAfterARestart(t *testing.T) {
	s, ctx, id := newSeed(t, true), t.Context(), cid("web", 0)
	must(t, s.Create(ctx, id, specOf(nginx, "linux/amd64"), runtime.CreateOptions{}))

	t.Run("by asking", func(t *testing.T) {
		again := compose(t, s.resolver, s.primary, s.delegate)
		for range 3 {
			must(t, again.Start(ctx, id))
		}
		if by := s.calls.by("Start"); !slices.Equal(by, []string{"delegate", "delegate", "delegate"}) {
			t.Errorf("started by %v, want the delegate", by)
		}
		if asked := len(s.calls.by("State")); asked > 4 {
			t.Errorf("the members were asked %d times; want the answer remembered", asked)
		}
		again = compose(t, s.resolver, s.primary, s.delegate)
		err := again.Create(ctx, id, specOf(nginx, "windows/amd64"), runtime.CreateOptions{})
		if !errdefs.IsAlreadyExists(err) || s.primary.holds(id) {
			t.Errorf("create of what the delegate holds: got %v, want AlreadyExists", err)
		}
	})
	t.Run("by listing", func(t *testing.T) {
		again := compose(t, s.resolver, s.primary, s.delegate)
		before := len(s.calls.by("State"))
		all, err := again.List(ctx)
		must(t, err)
		if len(all) != 1 || all[0].ID != id || all[0].Runtime != "delegate" {
			t.Errorf("listed %+v, want %s with the delegate", all, id)
		}
		must(t, again.Start(ctx, id))
		if asked := len(s.calls.by("State")); asked != before {
			t.Error("the members were asked for what they had listed")
		}
	})
	t.Run("not while its member is away", func(t *testing.T) {
		again := compose(t, s.resolver, s.primary, s.delegate)
		s.delegate.fail("State", errAway)
		s.delegate.fail("List", errAway)
		err := again.Start(ctx, id)
		if !errdefs.IsUnavailable(err) || errdefs.IsNotFound(err) {
			t.Errorf("got %v, want Unavailable", err)
		}
		all, missing, err := again.ListMembers(ctx)
		must(t, err)
		if len(all) != 0 || len(missing) != 1 || missing[0].Member != "delegate" || !errors.Is(missing[0], errAway) {
			t.Errorf("listed %v, missing %v; want the delegate named as missing", all, missing)
		}
	})
	t.Run("and forgotten when it is gone behind our back", func(t *testing.T) {
		s, id := newSeed(t, true), cid("db", 0)
		must(t, s.Create(ctx, id, specOf(nginx, "linux/amd64"), runtime.CreateOptions{}))
		must(t, s.delegate.Remove(ctx, id, runtime.RemoveOptions{}))
		must(t, s.Create(ctx, id, specOf(nginx, "windows/amd64"), runtime.CreateOptions{}))
		must(t, s.Start(ctx, id))
		s.hit(t, "Start", "primary")
	})
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

// The seed drops the record of a container whose removal fails, lets a second
// create overwrite a live one's and then delete it, and loses a container that
// is removed while it is made.
func TestWeakPoint09_RecordsSurviveFailures(t *testing.T) {
	ctx, id := t.Context(), cid("web", 0)
	t.Run("a failed remove can be tried again", func(t *testing.T) {
		s := newSeed(t, true)
		must(t, s.Create(ctx, id, specOf(nginx, "linux/amd64"), runtime.CreateOptions{}))
		s.delegate.fail("Remove", errAway)
		if err := s.Remove(ctx, id, runtime.RemoveOptions{}); !errors.Is(err, errAway) {
			t.Fatalf("got %v, want the delegate's error", err)
		}
		s.delegate.fail("Remove", nil)
		s.delegate.fail("State", errAway) // it must be remembered, not asked for
		must(t, s.Remove(ctx, id, runtime.RemoveOptions{}))
	})
	t.Run("a second create harms nothing", func(t *testing.T) {
		for _, platform := range []string{"linux/amd64", "windows/amd64", "linux/arm64"} {
			s := newSeed(t, true)
			must(t, s.Create(ctx, id, specOf(nginx, "linux/amd64"), runtime.CreateOptions{}))
			if err := s.Create(ctx, id, specOf(nginx, platform), runtime.CreateOptions{}); !errdefs.IsAlreadyExists(err) {
				t.Errorf("%s: got %v, want AlreadyExists", platform, err)
			}
			if s.primary.holds(id) || !s.delegate.holds(id) {
				t.Errorf("%s: the second create had an effect", platform)
			}
			must(t, s.Start(ctx, id))
			s.hit(t, "Start", "delegate")
		}
	})
	t.Run("a failed create leaves no record and takes none", func(t *testing.T) {
		s := newSeed(t, true)
		s.delegate.fail("Create", errors.New("no room"))
		if err := s.Create(ctx, id, specOf(nginx, "linux/amd64"), runtime.CreateOptions{}); err == nil {
			t.Fatal("the delegate's error is lost")
		}
		if err := s.Start(ctx, id); !errdefs.IsNotFound(err) {
			t.Errorf("got %v, want NotFound", err)
		}
		must(t, s.Create(ctx, id, specOf(nginx, "windows/amd64"), runtime.CreateOptions{}))
		must(t, s.Start(ctx, id))
		s.hit(t, "Start", "primary")
	})
	t.Run("a remove during a create waits for it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, log := t.Context(), &calls{} // a context from outside would not count as blocked
			primary, delegate := newFake("primary", log, "windows/amd64"), newFake("delegate", log, "linux/amd64")
			c := compose(t, nil, primary, delegate)
			gate := delegate.gate("Create")
			created, removed := make(chan error, 1), make(chan error, 1)
			go func() {
				created <- c.Create(ctx, id, specOf(nginx, "linux/amd64"), runtime.CreateOptions{})
			}()
			synctest.Wait() // the create is at the gate
			go func() { removed <- c.Remove(ctx, id, runtime.RemoveOptions{}) }()
			synctest.Wait() // the remove has its turn, or waits for it
			if by := log.by("Remove"); by != nil || len(removed) != 0 {
				t.Errorf("the remove did not wait: asked of %v", by)
			}
			close(gate)
			must(t, <-created)
			must(t, <-removed)
			if delegate.holds(id) {
				t.Error("the container is an orphan")
			}
		})
	})
}

// The seed speaks of Linux and WSL2 on every host, sends windows and macos to
// the primary whatever it is, never looks at the architecture, and gives the
// primary what it does not know.
func TestWeakPoint10_NothingIsAssumedAboutTheHost(t *testing.T) {
	for _, tc := range []struct {
		name, primary, spec string
		made                []messages.Platform
		says, saysNot       string
		code                messages.RefuseCode // "": no verdict
	}{
		{"linux on macOS", "darwin/arm64", "linux/arm64", nil, "limactl", "wsl", messages.RefusePlatform},
		{"windows on linux", "linux/amd64", "windows/amd64", nil, "Windows peer", "wsl", messages.RefusePlatform},
		{"macos on windows", "windows/amd64", "macos/arm64", nil, "macOS peer", "wsl", messages.RefusePlatform},
		{"another architecture", "linux/amd64", "linux/arm64", nil, "arm64", "wsl", messages.RefusePlatform},
		{"another windows build", "windows(10.0.20348)/amd64", "windows(10.0.26100)/amd64", nil, "10.0.26100", "wsl", messages.RefuseOSVersion},
		{"a system unknown", "windows/amd64", "", []messages.Platform{{OS: "freebsd", Arch: "amd64"}}, "freebsd", "wsl", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log := &calls{}
			resolver := &stubResolver{known: map[string][]messages.Platform{nginx: tc.made}}
			c := compose(t, resolver, newFake("primary", log, tc.primary))
			err := c.Create(t.Context(), cid("web", 0), specOf(nginx, tc.spec), runtime.CreateOptions{})
			if !errdefs.IsFailedPrecondition(err) {
				t.Fatalf("got %v, want a refusal", err)
			}
			v, ok := errors.AsType[*runtime.RouteToPeerError](err)
			if ok != (tc.code != "") || ok && v.Code != tc.code {
				t.Errorf("got %v, want a verdict of code %q", err, tc.code)
			}
			if !strings.Contains(err.Error(), tc.says) || strings.Contains(strings.ToLower(err.Error()), tc.saysNot) {
				t.Errorf("%q should say %q, and not %q", err, tc.says, tc.saysNot)
			}
			if by := log.by("Create"); by != nil {
				t.Errorf("created by %v all the same", by)
			}
		})
	}
}

// The seed's lists and prunes fail with the primary, and what both hold is in a
// list twice. (That all operations are forwarded is TestEveryOperationIsForwarded.)
func TestWeakPoint11_ListsArePartialRatherThanNothing(t *testing.T) {
	s, ctx := newSeed(t, true), t.Context()
	s.primary.images = []runtime.ImageInfo{{Reference: "a", Digest: "1", Size: 5}, {Reference: "b", Digest: "1"}}
	s.delegate.images = []runtime.ImageInfo{{Reference: "a", Digest: "1", Size: 7}, {Reference: "b", Digest: "2"}}
	images, err := s.ListImages(ctx)
	must(t, err)
	want := []runtime.ImageInfo{
		{Reference: "a", Digest: "1", Size: 12, Runtime: "primary,delegate"},
		{Reference: "b", Digest: "1", Runtime: "primary"},
		{Reference: "b", Digest: "2", Runtime: "delegate"},
	}
	if diff := cmp.Diff(want, images); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}

	must(t, s.Create(ctx, cid("web", 0), specOf(nginx, "linux/amd64"), runtime.CreateOptions{}))
	ops := map[string]func() (int, error){
		"List":            func() (int, error) { l, err := s.List(ctx); return len(l), err },
		"ListImages":      func() (int, error) { l, err := s.ListImages(ctx); return len(l), err },
		"PruneImages":     func() (int, error) { p, err := s.PruneImages(ctx); return len(p.Deleted), err },
		"PruneContainers": func() (int, error) { p, err := s.PruneContainers(ctx); return len(p.Deleted), err },
	}
	for op, do := range ops {
		s.primary.fail(op, errAway)
		if n, err := do(); err != nil || n == 0 {
			t.Errorf("%s without the primary: %d, %v; want what the delegate gives", op, n, err)
		}
		s.delegate.fail(op, errors.New("disk on fire"))
		if _, err := do(); !errors.Is(err, errAway) || !strings.Contains(err.Error(), "disk on fire") {
			t.Errorf("%s without anybody: %v, want the errors of both", op, err)
		}
	}
}

// The seed knows at its start whether there is a delegate, for ever; a record
// that names one which is not there panics.
func TestWeakPoint12_ADelegateComesAndGoes(t *testing.T) {
	s, ctx := newSeed(t, true), t.Context()
	all := []messages.Platform{plat("windows/amd64"), plat("linux/amd64")}
	check := func(when string, want []messages.Platform) {
		t.Helper()
		got, err := s.Platforms(ctx)
		must(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: platforms (-want +got):\n%s", when, diff)
		}
	}
	id := cid("web", 0)
	must(t, s.Create(ctx, id, specOf(nginx, "linux/amd64"), runtime.CreateOptions{}))
	check("before", all)

	for _, op := range []string{"Platforms", "State", "Start", "Create"} {
		s.delegate.fail(op, errAway)
	}
	check("away", all[:1])
	status := s.Members(ctx)
	if len(status) != 2 || status[0].Err != nil || !errors.Is(status[1].Err, errAway) || status[1].Name != "delegate" {
		t.Errorf("members are %+v, want the delegate away", status)
	}
	if err := s.Create(ctx, cid("db", 0), specOf(nginx, "linux/amd64"), runtime.CreateOptions{}); !errdefs.IsUnavailable(err) || !runtime.Retryable(err) {
		t.Errorf("create of what only the delegate can run: %v, want Unavailable", err)
	}
	if err := s.Create(ctx, cid("arm", 0), specOf(nginx, "linux/arm64"), runtime.CreateOptions{}); wantRoute(t, err, "arm").RequiredArch != "arm64" {
		t.Errorf("create of what the delegate could not run either: %v", err)
	}
	if err := s.Start(ctx, id); !errdefs.IsUnavailable(err) {
		t.Errorf("start of what the delegate holds: %v, want Unavailable", err)
	}
	must(t, s.Create(ctx, cid("win", 0), specOf(nginx, "windows/amd64"), runtime.CreateOptions{}))

	for _, op := range []string{"Platforms", "State", "Start", "Create"} {
		s.delegate.fail(op, nil)
	}
	check("back", all)
	must(t, s.Start(ctx, id))
	must(t, s.Create(ctx, cid("db", 0), specOf(nginx, "linux/amd64"), runtime.CreateOptions{}))
}
