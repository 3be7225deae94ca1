package runtime_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// pair is a composite of a Windows primary and a Linux delegate.
func pair(t *testing.T) (c *runtime.Composite, primary, delegate *fake, log *calls) {
	t.Helper()
	log = &calls{}
	primary, delegate = newFake("primary", log, "windows/amd64"), newFake("delegate", log, "linux/amd64")
	return compose(t, nil, primary, delegate), primary, delegate, log
}

// Of many creates of one id, for either member, one wins; and while others
// remove it, there is never one with each member.
func TestCreatesOfOneIDAreSerialised(t *testing.T) {
	c, primary, delegate, _ := pair(t)
	ctx, id := t.Context(), cid("web", 0)
	var won atomic.Int32
	var all sync.WaitGroup
	for i := range 32 {
		platform := []string{"windows/amd64", "linux/amd64"}[i%2]
		all.Go(func() {
			switch err := c.Create(ctx, id, specOf(nginx, platform), runtime.CreateOptions{}); {
			case err == nil:
				won.Add(1)
			case !errdefs.IsAlreadyExists(err):
				t.Errorf("create: %v, want AlreadyExists", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || primary.holds(id) == delegate.holds(id) {
		t.Errorf("%d creates won; primary holds it: %v, delegate: %v", won.Load(), primary.holds(id), delegate.holds(id))
	}
}

func TestStormOnOneID(t *testing.T) {
	c, primary, delegate, _ := pair(t)
	ctx, id := t.Context(), cid("web", 0)
	var all sync.WaitGroup
	for i := range 8 {
		platform := []string{"windows/amd64", "linux/amd64"}[i%2]
		all.Go(func() {
			for range 100 {
				err := c.Create(ctx, id, specOf(nginx, platform), runtime.CreateOptions{})
				if err != nil && !errdefs.IsAlreadyExists(err) {
					t.Errorf("create: %v", err)
				}
				if primary.holds(id) && delegate.holds(id) {
					t.Error("both members hold it")
				}
				if _, err := c.List(ctx); err != nil {
					t.Errorf("list: %v", err)
				}
				for _, err := range []error{c.Start(ctx, id), c.Kill(ctx, id, ""), c.Remove(ctx, id, runtime.RemoveOptions{})} {
					if err != nil && !errdefs.IsNotFound(err) {
						t.Errorf("got %v", err)
					}
				}
			}
		})
	}
	all.Wait()
	err := c.Remove(ctx, id, runtime.RemoveOptions{})
	if err != nil && !errdefs.IsNotFound(err) {
		t.Error(err)
	}
	if primary.holds(id) || delegate.holds(id) {
		t.Error("an orphan is left")
	}
}

// A call that lasts holds up no other on the same container: one can stop, kill
// and remove what somebody waits for, and kill what is being stopped.
func TestLongCallsHoldUpNobody(t *testing.T) {
	for _, op := range []string{"Wait", "Stop"} {
		synctest.Test(t, func(t *testing.T) {
			c, _, delegate, _ := pair(t)
			ctx, id := t.Context(), cid("web", 0)
			must(t, c.Create(ctx, id, specOf(nginx, "linux/amd64"), runtime.CreateOptions{}))
			gate := delegate.gate(op)
			done := make(chan error, 1)
			go func() {
				if op == "Wait" {
					_, err := c.Wait(ctx, id)
					done <- err
				} else {
					done <- c.Stop(ctx, id, -1)
				}
			}()
			synctest.Wait()
			must(t, c.Kill(ctx, id, "KILL"))
			must(t, c.Start(ctx, id))
			close(gate)
			must(t, <-done)
		})
	}
}

// Who waits for a turn leaves when its context ends, and takes nothing along.
func TestWaitingForATurnEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, delegate, log := pair(t)
		id := cid("web", 0)
		must(t, c.Create(t.Context(), id, specOf(nginx, "linux/amd64"), runtime.CreateOptions{}))
		gate := delegate.gate("Start")
		started := make(chan error, 1)
		go func() { started <- c.Start(t.Context(), id) }()
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Remove(ctx, id, runtime.RemoveOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the context's end", err)
		}
		if by := log.by("Remove"); by != nil {
			t.Errorf("%v was asked out of turn", by)
		}
		close(gate)
		must(t, <-started)
		must(t, c.Remove(t.Context(), id, runtime.RemoveOptions{}))
	})
}

// A member that hangs counts as away when patience ends, and what the others
// hold and can run goes on. No goroutine is left behind: synctest would say so.
func TestAMemberThatHangsIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, primary, delegate, _ := pair(t)
		ctx, id := t.Context(), cid("web", 0)
		must(t, primary.Create(ctx, id, specOf(nginx, ""), runtime.CreateOptions{}))
		delegate.gate("Platforms")
		delegate.gate("State")
		began := time.Now()
		must(t, c.Start(ctx, id)) // the primary answers, nobody waits for the delegate
		if took := time.Since(began); took != 0 {
			t.Errorf("found after %v; want no wait for the member that hangs", took)
		}
		must(t, c.Create(ctx, cid("win", 0), specOf(nginx, "windows/amd64"), runtime.CreateOptions{}))
		if err := c.Start(ctx, cid("ghost", 0)); !errdefs.IsUnavailable(err) {
			t.Errorf("got %v, want Unavailable", err)
		}
		if err := c.Create(ctx, cid("lin", 0), specOf(nginx, "linux/amd64"), runtime.CreateOptions{}); !errdefs.IsUnavailable(err) {
			t.Errorf("got %v, want Unavailable", err)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := c.Decide(cancelled, "web", specOf(nginx, "linux/amd64"), nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the caller's own end", err)
		}
	})
}

// slowList is a member whose list is old by the time it is given.
type slowList struct {
	*fake
	given chan struct{}
}

func (s slowList) List(ctx context.Context) ([]runtime.Container, error) {
	all, err := s.fake.List(ctx)
	<-s.given
	return all, err
}

// A list that was made before a container was does not make it forgotten.
func TestAnOldListDropsNothingNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &calls{}
		delegate := slowList{newFake("delegate", log, "linux/amd64"), make(chan struct{})}
		c := compose(t, nil, newFake("primary", log, "windows/amd64"), delegate)
		ctx, id := t.Context(), cid("web", 0)
		listed := make(chan error, 1)
		go func() {
			_, err := c.List(ctx)
			listed <- err
		}()
		synctest.Wait()
		must(t, c.Create(ctx, id, specOf(nginx, "linux/amd64"), runtime.CreateOptions{}))
		close(delegate.given)
		must(t, <-listed)
		delegate.fail("State", errAway) // it must be remembered, not asked for
		must(t, c.Start(ctx, id))
	})
}
