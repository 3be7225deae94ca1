package membus

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// Bucket implements bus.Bus. Whether the bucket is there shows when it is used.
func (c *Conn) Bucket(name string) bus.Bucket { return &bucket{conn: c, name: name} }

// bucket is a view of a stream that keeps one message a key.
type bucket struct {
	conn *Conn
	name string
}

func bucketStream(name string) string { return "KV_" + name }

func bucketPrefix(name string) string { return "$KV." + name + "." }

// with finds the bucket's stream, and does something to it under the lock.
func (b *bucket) with(ctx context.Context, verb, key string, do func(*stream, *stored) error) error {
	fail := func(err error) error { return fmt.Errorf("bucket %s: %s %s: %w", b.name, verb, key, err) }
	if err := b.conn.open(ctx); err != nil {
		return fail(err)
	}
	if err := checkKey(key); err != nil {
		return fail(err)
	}
	s := b.conn.server
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[bucketStream(b.name)]
	if st == nil {
		return fail(bus.ErrNotFound)
	}
	var is *stored
	if on := st.bySubject[bucketPrefix(b.name)+key]; len(on) > 0 {
		is = on[len(on)-1]
	}
	if err := do(st, is); err != nil {
		return fail(err)
	}
	return nil
}

// Get implements bus.Bucket.
func (b *bucket) Get(ctx context.Context, key string) (entry bus.Entry, err error) {
	err = b.with(ctx, "get", key, func(_ *stream, is *stored) error {
		if is == nil {
			return bus.ErrNotFound
		}
		entry = bus.Entry{Key: key, Value: slices.Clone(is.Data), Revision: is.Sequence}
		return nil
	})
	return entry, err
}

// Create implements bus.Bucket.
func (b *bucket) Create(ctx context.Context, key string, value []byte) (revision uint64, err error) {
	err = b.with(ctx, "create", key, func(st *stream, is *stored) error {
		if is != nil {
			return bus.ErrExists
		}
		revision, err = b.set(st, key, value)
		return err
	})
	return revision, err
}

// Update implements bus.Bucket.
func (b *bucket) Update(ctx context.Context, key string, value []byte, revision uint64) (now uint64, err error) {
	err = b.with(ctx, "update", key, func(st *stream, is *stored) error {
		if err := latest(is, revision); err != nil {
			return err
		}
		now, err = b.set(st, key, value)
		return err
	})
	return now, err
}

// Delete implements bus.Bucket. It takes a sequence, as a marker would.
func (b *bucket) Delete(ctx context.Context, key string, revision uint64) error {
	return b.with(ctx, "delete", key, func(st *stream, is *stored) error {
		if err := latest(is, revision); err != nil {
			return err
		}
		st.remove(is)
		st.last++
		for w := range st.watchers {
			w.changed(bus.Change{Entry: bus.Entry{Key: key, Revision: st.last}, Deleted: true})
		}
		return nil
	})
}

func (b *bucket) set(st *stream, key string, value []byte) (uint64, error) {
	m := bus.Message{Subject: bucketPrefix(b.name) + key, Data: slices.Clone(value)}
	if n := size(m); n > maxPayload {
		return 0, fmt.Errorf("%w: %d bytes, %d are allowed", bus.ErrTooLarge, n, maxPayload)
	}
	return st.store(m)
}

func latest(is *stored, revision uint64) error {
	switch {
	case is == nil:
		return fmt.Errorf("%w: the key is not there", bus.ErrConflict)
	case is.Sequence != revision:
		return fmt.Errorf("%w: it is %d, not %d", bus.ErrConflict, is.Sequence, revision)
	}
	return nil
}

// checkKey allows the keys that NATS allows.
func checkKey(key string) error {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/_=."
	bad := strings.ContainsFunc(key, func(r rune) bool { return !strings.ContainsRune(allowed, r) })
	if key == "" || bad || strings.HasPrefix(key, ".") || strings.HasSuffix(key, ".") || strings.Contains(key, "..") {
		return fmt.Errorf("key %q: letters, digits and -/_=. are allowed, the dot not at an end", key)
	}
	return nil
}
