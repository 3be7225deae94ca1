package natsbus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// errAgain ends one round of a watch that another must follow.
var errAgain = errors.New("the watch starts again")

// Watch implements bus.Bucket. It watches in rounds: each begins with all there
// is, and ends when the connection has been away. What a later round does not
// find any more was deleted meanwhile, and is given as such.
func (k *bucket) Watch(ctx context.Context) iter.Seq2[bus.Change, error] {
	return func(yield func(bus.Change, error) bool) {
		w := &watch{bucket: k, yield: yield, known: map[string]uint64{}, again: newPause()}
		for {
			link := k.bus.link.get()
			err := w.round(ctx, link)
			switch {
			case ctx.Err() != nil || w.stopped:
				return
			case k.bus.ended.Err() != nil:
				yield(bus.Change{}, fmt.Errorf("watch %s: %w: the connection was closed", k.name, bus.ErrUnavailable))
				return
			case !w.began && errors.Is(err, bus.ErrNotFound):
				yield(bus.Change{}, err)
				return
			}
			d := w.again.NextBackOff()
			if !errors.Is(err, errAgain) {
				k.bus.log.Warn("a watch starts again", "bucket", k.name, "error", err, "again_in", d)
			}
			w.pause(ctx, d)
		}
	}
}

// watch is one caller's view of a bucket.
type watch struct {
	*bucket
	yield   func(bus.Change, error) bool
	known   map[string]uint64 // the revision of each key that was given
	high    uint64            // the highest revision seen
	began   bool              // a round has reached its end of the existing
	stopped bool              // the caller has had enough
	again   *backoff.ExponentialBackOff
}

// round gives what there is, and what changes, until the link changes.
func (w *watch) round(ctx context.Context, link linkState) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watcher, err := w.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = watcher.Stop() }() // fails only when it has ended by itself
	found := map[string]bool{}            // nil once all that exists was given
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.bus.ended.Done():
			return errAgain
		case <-link.changed:
			return errAgain
		case e, ok := <-watcher.Updates():
			switch {
			case !ok:
				return errors.New("the server ended it")
			case e == nil:
				w.finish(found)
				found = nil
			default:
				w.give(e, found)
			}
			if w.stopped {
				return nil
			}
		}
	}
}

func (w *watch) open(ctx context.Context) (jetstream.KeyWatcher, error) {
	bound, cancel := bounded(ctx)
	defer cancel()
	kv, err := w.kv(bound)
	if err != nil {
		return nil, err
	}
	watcher, err := kv.WatchAll(ctx)
	return watcher, wrap(err, "watch %s", w.name)
}

// give passes an entry on; markers of keys that were never given are not news.
func (w *watch) give(e jetstream.KeyValueEntry, found map[string]bool) {
	w.high = max(w.high, e.Revision())
	entry := bus.Entry{Key: e.Key(), Value: e.Value(), Revision: e.Revision()}
	if e.Operation() == jetstream.KeyValuePut {
		if found != nil {
			found[entry.Key] = true
		}
		w.known[entry.Key] = entry.Revision
		w.tell(bus.Change{Entry: entry})
		return
	}
	if _, ok := w.known[entry.Key]; ok {
		w.forget(entry.Key, entry.Revision)
	}
}

// finish tells of the keys that vanished between two rounds, and that all was
// given.
func (w *watch) finish(found map[string]bool) {
	for key := range w.known {
		if !found[key] {
			w.forget(key, w.high)
		}
	}
	w.began = true
	w.again.Reset()
	w.tell(bus.Change{Current: true})
}

func (w *watch) forget(key string, revision uint64) {
	delete(w.known, key)
	w.tell(bus.Change{Entry: bus.Entry{Key: key, Revision: revision}, Deleted: true})
}

func (w *watch) tell(c bus.Change) {
	w.stopped = w.stopped || !w.yield(c, nil)
}

// pause waits until it makes sense to try again: for d while there is a
// connection.
func (w *watch) pause(ctx context.Context, d time.Duration) {
	for {
		link := w.bus.link.get()
		var soon <-chan time.Time
		if link.connected {
			soon = time.After(d)
		}
		select {
		case <-ctx.Done():
		case <-w.bus.ended.Done():
		case <-soon:
		case <-link.changed:
			continue
		}
		return
	}
}
