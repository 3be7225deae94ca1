package worker

import (
	"context"
	"sync"
)

// slowLock is a mutex that may be held over I/O. It is made of a channel, since
// under virtual time those who wait for a sync.Mutex do not let time pass, and
// so the one who has it waits for ever. The zero slowLock is unlocked.
type slowLock struct {
	once  sync.Once
	taken chan struct{} // full: somebody has it
}

func (l *slowLock) init() { l.taken = make(chan struct{}, 1) }

// Lock implements sync.Locker.
func (l *slowLock) Lock() {
	l.once.Do(l.init)
	l.taken <- struct{}{}
}

// lockWithin is Lock, and tells whether that was had before ctx ended.
func (l *slowLock) lockWithin(ctx context.Context) bool {
	l.once.Do(l.init)
	select {
	case l.taken <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// Unlock implements sync.Locker.
func (l *slowLock) Unlock() { <-l.taken }
