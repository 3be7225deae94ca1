package worker

import "sync"

// group is what the worker is doing beside each other. Once it is waited for,
// nothing new begins from outside: a request that comes then is not answered,
// as if nobody had been there. It is safe for concurrent use.
type group struct {
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// Go does f beside everything else, unless the group is closed.
func (g *group) Go(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.running.Go(f)
	}
}

// Wait closes the group, and returns when all that was begun is over.
func (g *group) Wait() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.running.Wait()
}
