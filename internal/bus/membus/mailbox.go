package membus

import (
	"context"
	"fmt"
	"sync"
)

// mailbox hands what is put into it to a handler, one after the other, in a
// goroutine that lives as long as there is something to hand over.
type mailbox[T any] struct {
	handle func(T)

	mu      sync.Mutex
	queue   []T
	running bool
	shut    bool
	idle    chan struct{} // closed when the handler that runs returns; set by wait
}

func (m *mailbox[T]) put(v T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shut {
		return
	}
	m.queue = append(m.queue, v)
	if !m.running {
		m.running = true
		go m.run()
	}
}

func (m *mailbox[T]) run() {
	for {
		m.mu.Lock()
		if len(m.queue) == 0 {
			m.running = false
			if m.idle != nil {
				close(m.idle)
				m.idle = nil
			}
			m.mu.Unlock()
			return
		}
		v := m.queue[0]
		var none T
		m.queue[0] = none // so that it can be freed while the rest waits
		m.queue = m.queue[1:]
		m.mu.Unlock()
		m.handle(v)
	}
}

// stop lets nothing in any more, and returns what was not handed over.
func (m *mailbox[T]) stop() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	left := m.queue
	m.queue, m.shut = nil, true
	return left
}

// wait returns when no handler runs, or with an error when ctx ends before.
func (m *mailbox[T]) wait(ctx context.Context) error {
	m.mu.Lock()
	if !m.running {
		m.mu.Unlock()
		return nil
	}
	if m.idle == nil {
		m.idle = make(chan struct{})
	}
	idle := m.idle
	m.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the running handler: %w", context.Cause(ctx))
	}
}
