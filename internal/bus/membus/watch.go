package membus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// Watch implements bus.Bucket. It watches in rounds: each begins with all there
// is, and ends when the connection has been cut.
func (b *bucket) Watch(ctx context.Context) iter.Seq2[bus.Change, error] {
	return func(yield func(bus.Change, error) bool) {
		r := &rounds{bucket: b, yield: yield, known: map[string]bool{}}
		for ctx.Err() == nil && !r.stopped {
			link := b.conn.current()
			if err := r.run(ctx, link); err != nil {
				yield(bus.Change{}, fmt.Errorf("watch %s: %w", b.name, err))
				return
			}
			if r.stopped {
				return
			}
			select {
			case <-link.changed:
			case <-b.conn.ended: // changes no link that was cut before
			case <-ctx.Done():
			}
		}
	}
}

// rounds is one caller's view of a bucket.
type rounds struct {
	*bucket
	yield   func(bus.Change, error) bool
	known   map[string]bool // the keys that were given and are there
	stopped bool            // the caller has had enough
}

// run is one round. An error is the end of the watch.
func (r *rounds) run(ctx context.Context, link link) error {
	w, err := r.watch()
	if err != nil {
		if errors.Is(err, bus.ErrUnavailable) && !r.conn.over() {
			return nil // cut: another round begins when it is mended
		}
		return err
	}
	defer w.leave()
	found := map[string]bool{} // nil once all that exists was given
	for {
		for _, c := range w.take() {
			if found = r.give(c, found); r.stopped || ctx.Err() != nil {
				return nil
			}
		}
		select {
		case <-w.wake:
		case <-link.changed: // cut or closed; the next round tells which
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// give passes a change on, and tells of the keys that vanished between two
// rounds before it says that all was given.
func (r *rounds) give(c bus.Change, found map[string]bool) (still map[string]bool) {
	switch {
	case c.Current:
		for _, key := range slices.Sorted(maps.Keys(r.known)) {
			if !found[key] {
				delete(r.known, key)
				r.tell(bus.Change{Entry: bus.Entry{Key: key, Revision: c.Revision}, Deleted: true})
			}
		}
		found, c.Revision = nil, 0
	case c.Deleted:
		delete(r.known, c.Key)
	default:
		r.known[c.Key] = true
		if found != nil {
			found[c.Key] = true
		}
	}
	r.tell(c)
	return found
}

func (r *rounds) tell(c bus.Change) {
	r.stopped = r.stopped || !r.yield(c, nil)
}

// watcher is one that hears of every change to a bucket. The server's lock
// guards it.
type watcher struct {
	conn   *Conn
	stream *stream
	prefix string
	queue  []bus.Change
	wake   chan struct{}
}

// watch begins with all there is, oldest first, and the mark that this was all,
// at the revision that the bucket has come to.
func (b *bucket) watch() (*watcher, error) {
	s := b.conn.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := b.conn.open(context.Background()); err != nil {
		return nil, err
	}
	st := s.streams[bucketStream(b.name)]
	if st == nil {
		return nil, bus.ErrNotFound
	}
	w := &watcher{conn: b.conn, stream: st, prefix: bucketPrefix(b.name), wake: make(chan struct{}, 1)}
	for _, m := range st.log {
		if !m.gone {
			w.changed(bus.Change{Entry: w.entry(m)})
		}
	}
	w.changed(bus.Change{Entry: bus.Entry{Revision: st.last}, Current: true})
	st.watchers[w] = struct{}{}
	return w, nil
}

func (w *watcher) entry(s *stored) bus.Entry {
	return bus.Entry{Key: strings.TrimPrefix(s.Subject, w.prefix), Value: slices.Clone(s.Data), Revision: s.Sequence}
}

// changed notes a change, which one that is cut off does not hear of.
func (w *watcher) changed(c bus.Change) {
	if w.conn.down.Load() {
		return
	}
	w.queue = append(w.queue, c)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watcher) take() []bus.Change {
	w.stream.server.mu.Lock()
	defer w.stream.server.mu.Unlock()
	taken := w.queue
	w.queue = nil
	return taken
}

func (w *watcher) leave() {
	w.stream.server.mu.Lock()
	defer w.stream.server.mu.Unlock()
	delete(w.stream.watchers, w)
}
