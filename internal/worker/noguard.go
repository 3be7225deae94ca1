package worker

import (
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker/lease"
)

// noGuard keeps the record for as long as the worker lives: for a runtime whose
// containers do not outlive it.
type noGuard struct {
	mu     sync.Mutex
	record lease.Record
}

func (g *noGuard) Watch(r lease.Record) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.record = r
	return nil
}

func (g *noGuard) Last() (lease.Record, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.record, nil
}

func (g *noGuard) Stopped(string, uint64) bool { return false }

// processClock is the process's own monotonic clock.
type processClock struct{ begun time.Time }

func (c processClock) Now() time.Duration { return time.Since(c.begun) }
