package runtime_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

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
