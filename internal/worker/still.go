package worker

import (
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// stillness notices that this process, or its machine, has stood still: paused,
// suspended, starved. Its node has been called lost meanwhile, and commands that
// waited in its socket are of a time that is over; the revokes for them are still
// on their way. So placers' commands are sent back until two of the node's own
// heartbeats have made the round through the bus: then everything that had
// waited has been read.
type stillness struct {
	limit time.Duration // a silence that makes others call the node lost
	most  time.Duration // after which a command is taken whatever was heard

	mu    sync.Mutex
	last  time.Duration // when the process was last seen to move
	since time.Duration // when it was found to have stood still
	until uint64        // the heartbeat that has to come back; 0: it has
}

// look tells whether commands that are here by now may be of a time that is
// over. seq is that of the last heartbeat.
func (s *stillness) look(now time.Duration, seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	gap := now - s.last
	s.last = now
	switch {
	case gap > s.limit:
		s.since, s.until = now, seq+2
	case s.until != 0 && now-s.since > s.most:
		s.until = 0
	}
	return s.until != 0
}

// heard takes in one of the node's own heartbeats, and tells whether another one
// is waited for.
func (s *stillness) heard(seq uint64) (more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq >= s.until {
		s.until = 0
	}
	return s.until != 0
}

// stoodStill tells whether a command that has just come may be of a time that is
// over.
func (w *Worker) stoodStill() bool {
	stale := w.still.look(w.cfg.Clock.Now(), w.seq.Load())
	if stale {
		w.changed()
	}
	return stale
}

var errStoodStill = &messages.Error{
	Code: messages.CodeUnavailable, Retryable: true,
	Message: "this node has stood still, and does not know yet whether the command is still meant",
}
