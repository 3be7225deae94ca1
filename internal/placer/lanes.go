package placer

import (
	"hash/maphash"
	"sync"
)

// lanes run tasks: those of one key in the order in which they were put, those
// of different keys side by side.
type lanes struct {
	seed maphash.Seed
	in   []chan func()
	work sync.WaitGroup

	mu     sync.RWMutex // held for reading while putting
	closed bool
}

// laneDepth is how many tasks wait in a lane before put blocks, which holds up
// the consumer that puts and so the bus.
const laneDepth = 64

func newLanes(n int) *lanes {
	l := &lanes{seed: maphash.MakeSeed(), in: make([]chan func(), n)}
	for i := range l.in {
		ch := make(chan func(), laneDepth)
		l.in[i] = ch
		l.work.Go(func() {
			for task := range ch {
				task()
			}
		})
	}
	return l
}

// put adds a task to its key's lane; it is dropped when the lanes are closed.
// It must not be called from within a task: a full lane would wait for itself.
func (l *lanes) put(key string, task func()) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.closed {
		return
	}
	l.in[maphash.String(l.seed, key)%uint64(len(l.in))] <- task
}

// close runs what is in the lanes and ends them.
func (l *lanes) close() {
	l.mu.Lock()
	already := l.closed
	l.closed = true
	l.mu.Unlock()
	if already {
		return
	}
	for _, ch := range l.in {
		close(ch)
	}
	l.work.Wait()
}
