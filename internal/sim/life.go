package sim

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// errCrashed is what the ports answer to a process that has crashed. Nobody is
// there to read it: it only lets the goroutines come to their end.
var errCrashed = fmt.Errorf("sim: the process has crashed: %w: %w", bus.ErrUnavailable, errdefs.ErrUnavailable)

// life is a process from one start to its end. All of its ports ask it before
// and after every call: it is where crashes strike, and what holds a suspended
// process still. From its end on no call has any effect.
type life struct {
	p    *process
	s    *simulation
	link *link
	over context.Context // ends with the life
	end  context.CancelFunc

	mu      sync.Mutex
	dead    bool
	leaving []func() // what lets go of the world when it ends
}

func (p *process) newLife() *life {
	l := &life{p: p, s: p.s}
	l.over, l.end = context.WithCancel(context.Background())
	l.link = newLink(l)
	return l
}

// onEnd is called when the life ends, or at once when it has.
func (l *life) onEnd(f func()) {
	l.mu.Lock()
	if !l.dead {
		l.leaving = append(l.leaving, f)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	f()
}

// crash ends the process at this instant: it does not say goodbye.
func (l *life) crash(note string) {
	l.mu.Lock()
	if l.dead {
		l.mu.Unlock()
		return
	}
	l.dead = true
	leaving := l.leaving
	l.mu.Unlock()
	l.p.gone(dead, note)
	l.end()
	for _, f := range leaving {
		f()
	}
	l.link.drop()
}

func (l *life) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// still holds the caller while the process is suspended; false: it is dead.
func (l *life) still() bool {
	for {
		held := l.p.suspended()
		if held == nil {
			return !l.isDead()
		}
		select {
		case <-held:
		case <-l.over.Done():
			return false
		}
	}
}

// enter begins a call; ok is false when it must not be made. n counts the calls
// of that kind over all lives of the process.
func (l *life) enter(call string) (n int, ok bool) {
	n = l.p.count(call)
	if !l.still() {
		return n, false
	}
	l.s.stats.called(l.p.role, call)
	return n, !l.strike(call, n, Before)
}

// leave ends a call: with what it gave, or not at all.
func (l *life) leave(call string, n int, err error) error {
	if !l.still() || l.strike(call, n, After) {
		return errCrashed
	}
	return err
}

// strike crashes the process if it is its time; true: it is dead.
func (l *life) strike(call string, n int, when When) bool {
	at := Point{l.p.role, call, when}
	if !l.s.crashes(l.p, at, n) {
		return l.isDead()
	}
	l.mu.Lock()
	first := !l.dead
	l.mu.Unlock()
	if first {
		l.s.stats.hit(at)
		l.crash("crashed " + string(when) + " " + call)
	}
	return true
}

// bound is a context that ends with the life as well.
func (l *life) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(l.over, cancel)
	return ctx, func() { stop(); cancel() }
}

// pause lets virtual time pass, unless the process dies or ctx ends first.
func (l *life) pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	case <-l.over.Done():
	}
}

// do passes a call that can fail through the life.
func (l *life) do(call string, f func() error) error {
	n, ok := l.enter(call)
	if !ok {
		return errCrashed
	}
	return l.leave(call, n, f())
}

// ask is do for a call that answers.
func ask[T any](l *life, call string, f func() (T, error)) (T, error) {
	n, ok := l.enter(call)
	if !ok {
		return *new(T), errCrashed
	}
	v, err := f()
	if err := l.leave(call, n, err); err != nil {
		return *new(T), err
	}
	return v, nil
}

// know is ask for a call that cannot fail: a process that crashes there does so
// before it can use the answer.
func know[T any](l *life, call string, f func() T) T {
	n, ok := l.enter(call)
	v := f()
	if ok {
		_ = l.leave(call, n, nil)
	}
	return v
}
