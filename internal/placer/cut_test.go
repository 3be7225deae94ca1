package placer_test

import (
	"context"
	"errors"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// cut is a bus on which some writes fail, as they do for a placer that is
// killed just before them.
type cut struct {
	bus.Bus
	mu   sync.Mutex
	fail map[string]bool // "delete", or the beginning of a subject
	lost int             // races for a key
}

func (c *cut) with(b bus.Bus) bus.Bus { c.Bus = b; return c }

func (c *cut) cuts(what string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for prefix, on := range c.fail {
		if on && strings.HasPrefix(what, prefix) {
			return true
		}
	}
	return false
}

// race counts the races that were lost.
func (c *cut) race(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, bus.ErrConflict) || errors.Is(err, bus.ErrExists) {
		c.lost++
	}
}

func (c *cut) set(what string, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail == nil {
		c.fail = map[string]bool{}
	}
	c.fail[what] = on
}

func (c *cut) Append(ctx context.Context, m bus.Message) (uint64, error) {
	if c.cuts(m.Subject) {
		return 0, bus.ErrUnavailable
	}
	return c.Bus.Append(ctx, m)
}

func (c *cut) Request(ctx context.Context, m bus.Message) (bus.Message, error) {
	if c.cuts(m.Subject) {
		return bus.Message{}, bus.ErrUnavailable
	}
	return c.Bus.Request(ctx, m)
}

// Consume hears nothing of a stream that is cut, as while others hold what it
// has.
func (c *cut) Consume(ctx context.Context, of bus.Consumer, handler func(bus.Delivery)) (bus.Subscription, error) {
	if c.cuts("consume " + of.Stream) {
		of.Filters = []string{"nobody.speaks.here"}
		of.Name += "-cut"
	}
	return c.Bus.Consume(ctx, of, handler)
}

func (c *cut) Bucket(name string) bus.Bucket {
	short := strings.ToLower(strings.TrimPrefix(name, root.Stream("")))
	return cutBucket{c.Bus.Bucket(name), short, c}
}

type cutBucket struct {
	bus.Bucket
	name string // "jobs", "names"
	cut  *cut
}

func (b cutBucket) Delete(ctx context.Context, key string, revision uint64) error {
	if b.cut.cuts("delete") || b.cut.cuts(b.name+" delete") {
		return bus.ErrUnavailable
	}
	return b.Bucket.Delete(ctx, key, revision)
}

func (b cutBucket) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	if b.cut.cuts("create") || b.cut.cuts(b.name+" create") {
		return 0, bus.ErrUnavailable
	}
	revision, err := b.Bucket.Create(ctx, key, value)
	b.cut.race(err)
	return revision, err
}

func (b cutBucket) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	if b.cut.cuts(b.name + " update") {
		return 0, bus.ErrUnavailable
	}
	now, err := b.Bucket.Update(ctx, key, value, revision)
	b.cut.race(err)
	return now, err
}

// Watch gives what there is, and no news while "watch" is cut.
func (b cutBucket) Watch(ctx context.Context) iter.Seq2[bus.Change, error] {
	return func(yield func(bus.Change, error) bool) {
		for change, err := range b.Bucket.Watch(ctx) {
			if !b.cut.cuts("watch") && !yield(change, err) {
				return
			}
		}
	}
}

func encoded(t *testing.T, m any) []byte {
	t.Helper()
	data, err := messages.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
