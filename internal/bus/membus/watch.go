package membus

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// Watch implements bus.Bucket.
func (b *bucket) Watch(ctx context.Context) iter.Seq2[bus.Change, error] {
	return func(yield func(bus.Change, error) bool) {
		if ctx.Err() != nil {
			return
		}
		w, err := b.watch()
		if err != nil {
			yield(bus.Change{}, fmt.Errorf("watch %s: %w", b.name, err))
			return
		}
		defer w.leave()
		for {
			for _, c := range w.take() {
				if ctx.Err() != nil || !yield(c, nil) {
					return
				}
			}
			select {
			case <-w.wake:
			case <-ctx.Done():
				return
			case <-b.conn.ended:
				yield(bus.Change{}, fmt.Errorf("watch %s: %w: the connection was closed", b.name, bus.ErrUnavailable))
				return
			}
		}
	}
}

// watcher is one that hears of every change to a bucket. The server's lock
// guards it.
type watcher struct {
	stream *stream
	prefix string
	queue  []bus.Change
	wake   chan struct{}
}

// watch begins with all there is, oldest first, and the mark that this was all.
func (b *bucket) watch() (*watcher, error) {
	if err := b.conn.open(context.Background()); err != nil {
		return nil, err
	}
	s := b.conn.server
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.streams[bucketStream(b.name)]
	if st == nil {
		return nil, bus.ErrNotFound
	}
	w := &watcher{stream: st, prefix: bucketPrefix(b.name), wake: make(chan struct{}, 1)}
	for _, m := range st.log {
		if !m.gone {
			w.changed(bus.Change{Entry: w.entry(m)})
		}
	}
	w.changed(bus.Change{Current: true})
	st.watchers[w] = struct{}{}
	return w, nil
}

func (w *watcher) entry(s *stored) bus.Entry {
	return bus.Entry{Key: strings.TrimPrefix(s.Subject, w.prefix), Value: slices.Clone(s.Data), Revision: s.Sequence}
}

func (w *watcher) changed(c bus.Change) {
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
