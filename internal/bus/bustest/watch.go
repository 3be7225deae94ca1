package bustest

import (
	"context"
	"fmt"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// watch watches a bucket, and puts what it gives into channels.
func (f *fixture) watch(ctx context.Context, k bus.Bucket) (<-chan bus.Change, <-chan error) {
	changes, end := make(chan bus.Change, 1000), make(chan error, 1)
	go func() {
		var last error
		for c, err := range k.Watch(ctx) {
			if err != nil {
				last = err
				continue
			}
			changes <- c
		}
		end <- last
	}()
	return changes, end
}

// show is a change in short.
func show(c bus.Change) string {
	switch {
	case c.Current:
		return "current"
	case c.Deleted:
		return "-" + c.Key
	}
	return fmt.Sprintf("%s=%s", c.Key, c.Value)
}

func shown(t *testing.T, ch <-chan bus.Change, n int) []string {
	t.Helper()
	var all []string
	for range n {
		all = append(all, show(next(t, ch)))
	}
	return all
}

func watchAll(t *testing.T, f *fixture) {
	k, other := f.laid().Bucket("KEYS"), f.bus().Bucket("KEYS")
	empty, _ := f.watch(f.ctx(), other)
	wantTexts(t, shown(t, empty, 1), "current")
	a := value(k.Create(f.ctx(), "a", []byte("1")))(t)
	wantTexts(t, shown(t, empty, 1), "a=1")
	b := value(k.Create(f.ctx(), "b", []byte("1")))(t)
	gone := value(k.Create(f.ctx(), "gone", []byte("1")))(t)
	wantTexts(t, shown(t, empty, 2), "b=1", "gone=1")
	must(t, k.Delete(f.ctx(), "gone", gone))
	_ = value(k.Update(f.ctx(), "a", []byte("2"), a))(t)
	wantTexts(t, shown(t, empty, 2), "-gone", "a=2")

	late, _ := f.watch(f.ctx(), other)
	wantTexts(t, shown(t, late, 3), "b=1", "a=2", "current")
	must(t, k.Delete(f.ctx(), "b", b))
	deleted := next(t, late)
	again := value(k.Create(f.ctx(), "b", []byte("3")))(t)
	if show(deleted) != "-b" || deleted.Revision <= b || deleted.Revision >= again {
		t.Fatalf("got %+v, want the deletion of b between %d and %d", deleted, b, again)
	}
	if c := next(t, late); show(c) != "b=3" || c.Revision != again {
		t.Fatalf("got %+v, want b at %d", c, again)
	}
}

func watchContext(t *testing.T, f *fixture) {
	ctx, cancel := context.WithCancel(f.ctx())
	changes, end := f.watch(ctx, f.laid().Bucket("KEYS"))
	wantTexts(t, shown(t, changes, 1), "current")
	cancel()
	must(t, next(t, end))
}

func watchMissing(t *testing.T, f *fixture) {
	_, end := f.watch(f.ctx(), f.laid().Bucket("NONE"))
	wantErr(t, next(t, end), bus.ErrNotFound, "NONE")
}
