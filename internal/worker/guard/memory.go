package guard

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/shunt-fleet/shunt/internal/worker/lease"
)

// Memory is a guard in this process. It survives a worker that is thrown away,
// and not the process.
type Memory struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	record  lease.Record
	stopped map[key]bool
}

var _ lease.Guard = (*Memory)(nil)

// NewMemory starts a guard over a runtime. Its caller must Close it.
func NewMemory(rt Runtime, clock lease.Clock, log *slog.Logger) *Memory {
	ctx, cancel := context.WithCancel(context.Background())
	m := &Memory{cancel: cancel, done: make(chan struct{}), stopped: map[key]bool{}}
	loop := Loop{
		Read: m.Last, Note: m.note, Clock: clock, Log: log,
		Runtime: func(context.Context) (Runtime, error) { return rt, nil },
	}
	go func() {
		defer close(m.done)
		loop.Run(ctx)
	}()
	return m
}

// Watch has the guard go by the record from now on.
func (m *Memory) Watch(r lease.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.Containers = slices.Clone(r.Containers)
	m.record = r
	return nil
}

// Last is the record of the last Watch.
func (m *Memory) Last() (lease.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record, nil
}

// Stopped tells whether the guard has ended the container of an attempt.
func (m *Memory) Stopped(job string, attempt uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stopped[key{job, attempt}]
}

func (m *Memory) note(c lease.Container) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped[key{c.Job, c.Attempt}] = true
	return nil
}

// Reboot forgets the record, as the start of a machine does.
func (m *Memory) Reboot() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.record = lease.Record{}
	clear(m.stopped)
}

// Close ends the guard.
func (m *Memory) Close() {
	m.cancel()
	<-m.done
}
