package membus

import (
	"maps"
	"slices"
	"time"
)

// link is whether a connection is up, since when, and a channel that tells when
// that changes.
type link struct {
	connected bool
	since     time.Time
	changed   chan struct{} // closed by the next change
}

func newLink() link {
	return link{connected: true, since: time.Now(), changed: make(chan struct{})}
}

// to is the link after a change; one that is none changes nothing.
func (l link) to(connected bool) link {
	if l.connected == connected {
		return l
	}
	close(l.changed)
	return link{connected: connected, since: time.Now(), changed: make(chan struct{})}
}

// Connection implements bus.Bus.
func (c *Conn) Connection() (connected bool, since time.Time) {
	l := c.current()
	return l.connected, l.since
}

func (c *Conn) current() link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link
}

// Cut takes the connection away, as a network that breaks does: until Mend,
// calls fail with bus.ErrUnavailable, nobody finds what it serves, it hears
// nothing, and what was on its way to it is lost. What its consumers hold is
// given to others after its AckWait; their handlers still get what had arrived.
// Cutting what is cut, or closed, does nothing.
func (c *Conn) Cut() {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.turn(false)
}

// Mend gives a connection back that Cut took away: it hears again, its consumers
// go on, and its watches give everything again.
func (c *Conn) Mend() {
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.turn(true) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(s.streams)) {
		consumers := s.streams[name].consumers
		for _, name := range slices.Sorted(maps.Keys(consumers)) {
			consumers[name].dispatch()
		}
	}
}

// turn sets the link up or down, and reports whether that is a change. The
// server's lock is held.
func (c *Conn) turn(up bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.link.connected == up {
		return false
	}
	c.down.Store(!up)
	c.link = c.link.to(up)
	return true
}
