package image

import (
	"context"
	"sync"
	"time"
)

// flights has callers with the same key share one call. Unlike x/sync's
// singleflight it ends the call when nobody waits for it any more, and it
// returns at the time-out even if the function does not.
type flights[K comparable, V any] struct {
	mu    sync.Mutex
	calls map[K]*flight[V]
}

type flight[V any] struct {
	waiters int
	cancel  context.CancelFunc
	done    chan struct{} // closed when value and err are set
	value   V
	err     error
}

// do calls fn, or waits for the call under way. fn runs in a goroutine of its
// own, under a context that has ctx's values but not its end: it ends by
// timeout, or when every waiter has left. The error is ctx's own when the
// caller's context ended first.
func (f *flights[K, V]) do(ctx context.Context, key K, timeout time.Duration, fn func(context.Context) (V, error)) (V, error) {
	f.mu.Lock()
	c, ok := f.calls[key]
	if !ok {
		c = f.start(ctx, key, timeout, fn)
	}
	c.waiters++
	f.mu.Unlock()

	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		f.leave(key, c)
		var zero V
		return zero, ctx.Err()
	}
}

// start is called with the lock held.
func (f *flights[K, V]) start(ctx context.Context, key K, timeout time.Duration, fn func(context.Context) (V, error)) *flight[V] {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	c := &flight[V]{cancel: cancel, done: make(chan struct{})}
	if f.calls == nil {
		f.calls = map[K]*flight[V]{}
	}
	f.calls[key] = c
	context.AfterFunc(ctx, func() {
		var zero V
		f.finish(key, c, zero, ctx.Err())
	})
	go func() {
		value, err := fn(ctx)
		f.finish(key, c, value, err)
	}()
	return c
}

// finish ends the call; the first one to say so decides how.
func (f *flights[K, V]) finish(key K, c *flight[V], value V, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls[key] != c {
		return
	}
	delete(f.calls, key)
	c.value, c.err = value, err
	close(c.done)
	c.cancel()
}

// leave takes one waiter away, and the call with the last one.
func (f *flights[K, V]) leave(key K, c *flight[V]) {
	f.mu.Lock()
	c.waiters--
	last := c.waiters == 0
	if last && f.calls[key] == c {
		delete(f.calls, key) // whoever asks now starts anew
	}
	f.mu.Unlock()
	if last {
		c.cancel()
	}
}
