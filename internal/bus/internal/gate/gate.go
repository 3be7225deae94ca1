// Package gate lets handlers through until it is shut, and waits for those that
// run. It is how the adapters of the bus keep the promise of Subscription.Stop.
// A Gate is safe for concurrent use; the zero value is open.
package gate

import (
	"context"
	"fmt"
	"sync"
)

// Gate counts who is inside.
type Gate struct {
	mu     sync.Mutex
	inside int
	shut   bool
	empty  chan struct{} // closed when the last one leaves; set by Wait
}

// Enter lets one in, who must Leave, or reports false when the gate is shut.
func (g *Gate) Enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false
	}
	g.inside++
	return true
}

// Leave ends a successful Enter.
func (g *Gate) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.inside == 0 && g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
}

// Shut lets nobody in any more. It does not wait.
func (g *Gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}

// Wait returns when nobody is inside, or with an error when ctx ends before.
func (g *Gate) Wait(ctx context.Context) error {
	g.mu.Lock()
	if g.inside == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.empty == nil {
		g.empty = make(chan struct{})
	}
	empty := g.empty
	g.mu.Unlock()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for running handlers: %w", context.Cause(ctx))
	}
}
