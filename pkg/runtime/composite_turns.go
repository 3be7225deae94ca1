package runtime

import (
	"context"
	"sync"
)

// keyedLock gives callers turns on a container, in no order. The zero keyedLock
// is ready, and holds memory only for containers that are in use.
type keyedLock struct {
	mu   sync.Mutex
	keys map[ContainerID]*turn
}

type turn struct {
	taken chan struct{} // full: somebody has it
	users int           // who has it or waits for it; guarded by keyedLock.mu
}

// lock waits for the caller's turn, or for the end of ctx, which is the error.
func (l *keyedLock) lock(ctx context.Context, id ContainerID) (unlock func(), err error) {
	t := l.join(id)
	select {
	case t.taken <- struct{}{}:
	case <-ctx.Done():
		l.leave(id, t)
		return nil, ctx.Err()
	}
	return func() {
		<-t.taken
		l.leave(id, t)
	}, nil
}

func (l *keyedLock) join(id ContainerID) *turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keys == nil {
		l.keys = map[ContainerID]*turn{}
	}
	t, ok := l.keys[id]
	if !ok {
		t = &turn{taken: make(chan struct{}, 1)}
		l.keys[id] = t
	}
	t.users++
	return t
}

func (l *keyedLock) leave(id ContainerID, t *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(l.keys, id)
	}
}
