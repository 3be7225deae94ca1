// Package membus is the bus in a process's memory: for simulation, tests, and
// whatever runs a fleet in one process.
//
// NewServer makes a bus, Connect a connection to it; messages are copied on their
// way, so nobody shares memory. Its semantics are those of NATS with JetStream,
// as far as the port tells them, and bustest holds it to them: wildcards, queue
// groups, streams with limits, acknowledgement and redelivery, de-duplication,
// compare-and-set. What it is not: durable, and known to `nats micro`, since a
// service's discovery subjects are not served.
//
// Conn.Cut takes a connection away as a broken network does, and Conn.Mend gives
// it back.
//
// Time is the time package's alone, and a goroutine lives only while a handler
// has something to do: so a bus works inside a testing/synctest bubble, under
// virtual time, and leaves nothing behind when its connections are closed.
package membus

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

var _ bus.Bus = (*Conn)(nil)

const (
	maxPayload      = messages.MaxBusPayload
	duplicateWindow = 2 * time.Minute
	defaultAckWait  = 30 * time.Second
	defaultMaxOpen  = 1000
)

// Server is a bus that connections share. It is safe for concurrent use.
type Server struct {
	// mu guards all state of the server but the mailboxes' own. No handler is
	// called under it.
	mu      sync.Mutex
	routes  router
	streams map[string]*stream
	inboxes uint64
}

// NewServer makes an empty bus.
func NewServer() *Server {
	return &Server{streams: map[string]*stream{}, routes: newRouter()}
}

// Connect makes a connection; name is for errors.
func (s *Server) Connect(name string) *Conn {
	return &Conn{
		server: s, name: name, link: newLink(),
		subs: map[bus.Subscription]struct{}{}, ended: make(chan struct{}),
	}
}

// holder is the stream that holds a subject, if there is one.
func (s *Server) holder(subject string) *stream {
	for _, st := range s.streams {
		if st.holds(subject) {
			return st
		}
	}
	return nil
}

// publish routes a message and stores it where a stream holds its subject. It
// returns how many heard it; seq and err are the stream's, if there is one.
func (s *Server) publish(m bus.Message) (heard int, seq uint64, err error) {
	for _, r := range s.routes.match(m.Subject) {
		r.deliver(clone(m))
		heard++
	}
	st := s.holder(m.Subject)
	if st == nil {
		return heard, 0, nil
	}
	seq, err = st.store(clone(m))
	return heard + 1, seq, err
}

func clone(m bus.Message) bus.Message {
	m.Header = maps.Clone(m.Header)
	m.Data = slices.Clone(m.Data)
	return m
}
