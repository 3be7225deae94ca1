package natsbus

import (
	"sync"
	"time"
)

// link is what is known of the connection: up or down, since when, and a
// channel that tells when that changes.
type link struct {
	mu    sync.Mutex
	state linkState
}

type linkState struct {
	connected bool
	since     time.Time
	changed   chan struct{} // closed by the next change
}

func newLink() *link {
	return &link{state: linkState{since: time.Now(), changed: make(chan struct{})}}
}

func (l *link) get() linkState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// set notes that the connection is up or down now. A reconnect sets it up while
// it may not have been seen down: that is a change as well.
func (l *link) set(connected bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.state.changed)
	l.state = linkState{connected: connected, since: time.Now(), changed: make(chan struct{})}
}
