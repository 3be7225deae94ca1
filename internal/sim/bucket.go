package sim

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
)

// bucketPort is a bucket as a process sees it.
type bucketPort struct {
	l    *life
	name string
}

// Get implements bus.Bucket.
func (b bucketPort) Get(ctx context.Context, key string) (bus.Entry, error) {
	e, err := durable(ctx, b.l, "Bucket.Get", func(ctx context.Context, c *membus.Conn) (bus.Entry, error) {
		return c.Bucket(b.name).Get(ctx, key)
	})
	e.Value = b.l.read(e.Value)
	return e, err
}

// Create implements bus.Bucket. On its way it is a message that expects what was
// there when it was sent: if the key was deleted meanwhile, there is a marker, and
// one that comes late finds that.
func (b bucketPort) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	value = b.l.written(value)
	markers := b.l.s.markers(b.name, key, 0)
	return durable(ctx, b.l, "Bucket.Create", func(ctx context.Context, c *membus.Conn) (uint64, error) {
		if b.l.s.markers(b.name, key, 0) != markers {
			return 0, fmt.Errorf("sim: create %s: it was deleted since: %w", key, bus.ErrExists)
		}
		return c.Bucket(b.name).Create(ctx, key, value)
	})
}

// Update implements bus.Bucket.
func (b bucketPort) Update(ctx context.Context, key string, value []byte, revision uint64) (uint64, error) {
	value = b.l.written(value)
	return durable(ctx, b.l, "Bucket.Update", func(ctx context.Context, c *membus.Conn) (uint64, error) {
		return c.Bucket(b.name).Update(ctx, key, value, revision)
	})
}

// Delete implements bus.Bucket.
func (b bucketPort) Delete(ctx context.Context, key string, revision uint64) error {
	_, err := durable(ctx, b.l, "Bucket.Delete", func(ctx context.Context, c *membus.Conn) (struct{}, error) {
		err := c.Bucket(b.name).Delete(ctx, key, revision)
		if err == nil {
			b.l.s.markers(b.name, key, 1)
		}
		return struct{}{}, err
	})
	return err
}

// markers counts the deletions of a key.
func (s *simulation) markers(bucket, key string, more int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deleted[bucket+" "+key] += more
	return s.deleted[bucket+" "+key]
}

// Watch implements bus.Bucket. It goes from connection to connection, each time
// from the beginning, as natsbus does.
func (b bucketPort) Watch(ctx context.Context) iter.Seq2[bus.Change, error] {
	const call = "Bucket.Watch"
	return func(yield func(bus.Change, error) bool) {
		n, ok := b.l.enter(call)
		if !ok {
			yield(bus.Change{}, errCrashed)
			return
		}
		ctx, cancel := b.l.bound(ctx)
		defer cancel()
		w := &watch{bucketPort: b, yield: yield, known: map[string]uint64{}}
		for ctx.Err() == nil && !w.stopped {
			conn, _, changed := b.l.link.state()
			if conn == nil {
				select {
				case <-changed:
				case <-ctx.Done():
				}
				continue
			}
			w.round(ctx, conn)
		}
		_ = b.l.leave(call, n, nil)
	}
}

// watch is one caller's view of a bucket, over all rounds.
type watch struct {
	bucketPort
	yield   func(bus.Change, error) bool
	known   map[string]uint64
	high    uint64
	given   int
	stopped bool
}

// round gives what there is and what changes while the connection lasts.
func (w *watch) round(ctx context.Context, conn *membus.Conn) {
	found := map[string]bool{}
	for c, err := range conn.Bucket(w.name).Watch(ctx) {
		if err != nil || !w.heard(ctx, conn) {
			return
		}
		w.high = max(w.high, c.Revision)
		switch {
		case c.Current:
			for key := range w.known {
				if !found[key] {
					w.tell(bus.Change{Entry: bus.Entry{Key: key, Revision: w.high}, Deleted: true})
					delete(w.known, key)
				}
			}
		case c.Deleted:
			delete(w.known, c.Key)
		default:
			found[c.Key], w.known[c.Key] = true, c.Revision
			c.Value = w.l.read(c.Value)
		}
		w.tell(c)
		if w.stopped {
			return
		}
	}
}

// heard waits until a change comes through to the process: the copy of a bucket
// may lag behind it.
func (w *watch) heard(ctx context.Context, conn *membus.Conn) bool {
	for {
		now, c, changed := w.l.link.state()
		if now != conn {
			return false
		}
		if c != cutIn && c != cutBoth {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
	w.given++
	if w.l.s.faulty() && w.l.s.cfg.Faults[Delay] && w.l.s.dice.chance(8, "lag", w.l.p.name, w.given) {
		w.l.pause(ctx, w.l.s.dice.upTo(3*time.Second, "lag for", w.l.p.name, w.given))
	}
	return w.l.still()
}

func (w *watch) tell(c bus.Change) { w.stopped = w.stopped || !w.yield(c, nil) }
