package runtime_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

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
