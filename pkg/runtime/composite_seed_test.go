package runtime_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/image"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// seed is the set-up of the seed's tests: a Windows primary, perhaps a Linux
// delegate, and a registry in place of the map of images' systems.
type seed struct {
	*runtime.Composite
	calls             *calls
	primary, delegate *fake
	registry          *testRegistry
	resolver          *image.Resolver
}

func newSeed(t *testing.T, withDelegate bool, primaryRuns ...string) *seed {
	t.Helper()
	if primaryRuns == nil {
		primaryRuns = []string{"windows/amd64"}
	}
	s := &seed{calls: &calls{}, registry: newRegistry(t)}
	s.resolver = s.registry.resolver()
	s.primary = newFake("primary", s.calls, primaryRuns...)
	var delegates []runtime.Runtime
	if withDelegate {
		s.delegate = newFake("delegate", s.calls, "linux/amd64")
		delegates = append(delegates, s.delegate)
	}
	s.Composite = compose(t, s.resolver, s.primary, delegates...)
	return s
}

// hit checks that op went to the member, and to it first.
func (s *seed) hit(t *testing.T, op, member string) {
	t.Helper()
	if got := s.calls.by(op); len(got) == 0 || got[0] != member {
		t.Errorf("%s went to %v, want %s first", op, got, member)
	}
}

// cachedOS is the system that is known of an image without any request.
func (s *seed) cachedOS(ctx context.Context, ref string) (messages.OS, bool) {
	_, platforms, err := s.resolver.Platforms(ctx, ref, messages.PullNever, nil)
	if err != nil {
		return "", false
	}
	return platforms[0].OS, true
}

func wantRoute(t *testing.T, err error, service string) *runtime.RouteToPeerError {
	t.Helper()
	v, ok := errors.AsType[*runtime.RouteToPeerError](err)
	if !ok {
		t.Fatalf("got %v, want a RouteToPeerError", err)
	}
	if v.Service != service {
		t.Errorf("service is %q, want %q", v.Service, service)
	}
	return v
}

func wantRemedies(t *testing.T, v *runtime.RouteToPeerError) {
	t.Helper()
	if v.RequiredOS != messages.Linux {
		t.Errorf("required os is %q, want linux", v.RequiredOS)
	}
	if !strings.Contains(v.Reason, "--install-wsl") || !strings.Contains(v.Reason, "Linux peer") {
		t.Errorf("the reason must name both remedies, got: %s", v.Reason)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

const (
	nanoserver = "mcr.microsoft.com/windows/nanoserver:ltsc2022"
	alpine     = "docker.io/library/alpine:3.19"
	nginx      = "docker.io/library/nginx:1.25"
	ghost      = "invalid.example.invalid/ghost:v1"
)

// TestSeed is the 18 tests of the seed under their own names. Set-ups differ
// (what a runtime can run is declared by it, images' systems come from a
// registry); what is asserted does not.
func TestSeed(t *testing.T) {
	t.Run("dispatch_windows_spec_goes_to_primary", func(t *testing.T) {
		s, id, ctx := newSeed(t, true), cid("win-svc", 0), t.Context()
		must(t, s.Create(ctx, id, specOf(nanoserver, "windows/amd64"), runtime.CreateOptions{}))
		must(t, s.Start(ctx, id))
		s.hit(t, "Create", "primary")
		s.hit(t, "Start", "primary")
	})
	t.Run("dispatch_linux_spec_goes_to_delegate", func(t *testing.T) {
		s, id, ctx := newSeed(t, true), cid("lin-svc", 0), t.Context()
		must(t, s.Create(ctx, id, specOf(alpine, "linux/amd64"), runtime.CreateOptions{}))
		must(t, s.Start(ctx, id))
		s.hit(t, "Create", "delegate")
		s.hit(t, "Start", "delegate")
	})
	t.Run("dispatch_linux_without_delegate_errors", func(t *testing.T) {
		s := newSeed(t, false)
		err := s.Create(t.Context(), cid("lin-svc", 0), specOf(alpine, "linux/amd64"), runtime.CreateOptions{})
		wantRemedies(t, wantRoute(t, err, "lin-svc"))
	})
	t.Run("dispatch_linux_image_cache_without_delegate_routes_to_peer", func(t *testing.T) {
		s := newSeed(t, false)
		s.registry.push(t, nginx, "linux/amd64")
		err := s.Create(t.Context(), cid("svc", 0), specOf(nginx, ""), runtime.CreateOptions{})
		v := wantRoute(t, err, "svc")
		wantRemedies(t, v)
		if !strings.Contains(v.Reason, nginx) {
			t.Errorf("the reason should mention the image, got: %s", v.Reason)
		}
	})
	t.Run("dispatch_macos_spec_goes_to_primary", func(t *testing.T) {
		s := newSeed(t, true, "darwin/arm64")
		must(t, s.Create(t.Context(), cid("mac-svc", 0), specOf("ghcr.io/zlayer/macos:latest", "macos/arm64"), runtime.CreateOptions{}))
		s.hit(t, "Create", "primary")
	})
	t.Run("dispatch_no_platform_no_image_os_falls_through_to_primary", func(t *testing.T) {
		s := newSeed(t, true)
		must(t, s.Create(t.Context(), cid("svc", 0), specOf(nginx, ""), runtime.CreateOptions{}))
		s.hit(t, "Create", "primary")
	})
	t.Run("dispatch_uses_image_os_cache_when_platform_missing", func(t *testing.T) {
		s := newSeed(t, true)
		s.registry.push(t, nginx, "linux/amd64")
		must(t, s.Create(t.Context(), cid("svc", 0), specOf(nginx, ""), runtime.CreateOptions{}))
		s.hit(t, "Create", "delegate")
	})
	t.Run("per_container_dispatch_cache_persists_through_start_stop", func(t *testing.T) {
		s, id, ctx := newSeed(t, true), cid("win-svc", 0), t.Context()
		must(t, s.Create(ctx, id, specOf(nanoserver, "windows/amd64"), runtime.CreateOptions{}))
		must(t, s.Start(ctx, id))
		must(t, s.Stop(ctx, id, time.Second))
		must(t, s.Remove(ctx, id, runtime.RemoveOptions{}))
		for _, op := range []string{"Create", "Start", "Stop", "Remove"} {
			s.hit(t, op, "primary")
		}
		if err := s.Start(ctx, id); !errdefs.IsNotFound(err) {
			t.Errorf("got %v after remove, want NotFound", err)
		}
	})
	t.Run("pull_image_calls_both_runtimes", func(t *testing.T) {
		s := newSeed(t, true)
		pull(t, s, alpine, runtime.PullOptions{})
		wantPulledByBoth(t, s)
	})
	t.Run("pull_image_delegate_error_does_not_fail", func(t *testing.T) {
		s := newSeed(t, true)
		s.delegate.fail("Pull", errors.New("simulated delegate pull failure"))
		pull(t, s, alpine, runtime.PullOptions{})
		wantPulledByBoth(t, s)
	})
	t.Run("list_images_merges_both", func(t *testing.T) {
		s := newSeed(t, true)
		s.primary.images = []runtime.ImageInfo{{Reference: "primary/image:1"}}
		s.delegate.images = []runtime.ImageInfo{{Reference: "delegate/image:1"}}
		merged, err := s.ListImages(t.Context())
		must(t, err)
		var refs []string
		for _, i := range merged {
			refs = append(refs, i.Reference)
		}
		if !slices.Contains(refs, "primary/image:1") || !slices.Contains(refs, "delegate/image:1") {
			t.Errorf("the list should have both entries, got %v", refs)
		}
	})
	t.Run("dispatch_lookup_unknown_container_errors", func(t *testing.T) {
		s := newSeed(t, true)
		if err := s.Start(t.Context(), cid("ghost", 0)); !errdefs.IsNotFound(err) {
			t.Errorf("got %v, want NotFound", err)
		}
	})
	t.Run("apply_image_os_inspection_populates_cache_on_ok_some", func(t *testing.T) {
		s := newSeed(t, true)
		s.registry.push(t, alpine, "linux/amd64")
		inspect(t, s, alpine)
		wantCached(t, s, alpine, messages.Linux)
	})
	t.Run("apply_image_os_inspection_leaves_cache_untouched_on_ok_none", func(t *testing.T) {
		s := newSeed(t, true)
		s.registry.push(t, nginx, "")
		inspect(t, s, nginx)
		wantCached(t, s, nginx, "")
	})
	t.Run("apply_image_os_inspection_leaves_cache_untouched_on_err", func(t *testing.T) {
		s := newSeed(t, true)
		s.registry.push(t, nginx, "linux/amd64")
		inspect(t, s, nginx)
		s.registry.broken.Store(true)
		inspect(t, s, nginx)
		wantCached(t, s, nginx, messages.Linux)
	})
	t.Run("pull_image_inspection_failure_does_not_fail_pull", func(t *testing.T) {
		s := newSeed(t, true)
		pull(t, s, ghost, runtime.PullOptions{})
		wantCached(t, s, ghost, "")
	})
	t.Run("pull_image_with_policy_inspection_failure_does_not_fail_pull", func(t *testing.T) {
		s := newSeed(t, true)
		pull(t, s, ghost, runtime.PullOptions{Policy: messages.PullIfNotPresent})
		wantCached(t, s, ghost, "")
	})
	t.Run("os_kind_from_oci_str_roundtrip", func(t *testing.T) {
		for _, os := range []messages.OS{messages.Linux, messages.Windows, messages.Darwin} {
			if got, ok := messages.ParseOS(string(os)); !ok || got != os {
				t.Errorf("ParseOS(%q) = %q, %v", os, got, ok)
			}
		}
		for _, s := range []string{"", "freebsd"} {
			if got, ok := messages.ParseOS(s); ok {
				t.Errorf("ParseOS(%q) = %q, want none", s, got)
			}
		}
	})
}

func pull(t *testing.T, s *seed, ref string, opts runtime.PullOptions) {
	t.Helper()
	if _, err := s.Pull(t.Context(), ref, opts); err != nil {
		t.Fatal(err)
	}
}

func wantPulledByBoth(t *testing.T, s *seed) {
	t.Helper()
	if by := s.calls.by("Pull"); !slices.Contains(by, "primary") || !slices.Contains(by, "delegate") {
		t.Errorf("pulled by %v, want both", by)
	}
}

// inspect has the composite look at the image as a job's preflight does.
func inspect(t *testing.T, s *seed, ref string) {
	t.Helper()
	spec := specOf(ref, "")
	spec.Pull = messages.PullAlways
	if _, err := s.Decide(t.Context(), "svc", spec, nil); err != nil {
		t.Fatal(err)
	}
	if s.registry.requests.Load() == 0 {
		t.Fatal("the registry was not asked")
	}
}

func wantCached(t *testing.T, s *seed, ref string, want messages.OS) {
	t.Helper()
	if got, ok := s.cachedOS(t.Context(), ref); got != want || ok != (want != "") {
		t.Errorf("the system known of %s is %q, want %q", ref, got, want)
	}
}
