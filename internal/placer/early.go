package placer

import (
	"maps"
	"sync"
	"time"
)

// early names a message that came before the record it is about.
type early struct {
	subject  string
	sequence uint64
}

// mostEarly bounds how many early messages are waited with at once.
const mostEarly = 4096

// earlyMessages is how long messages have been early. A placer's consumers use it
// from different lanes.
type earlyMessages struct {
	patience time.Duration

	mu    sync.Mutex
	since map[early]time.Time // when each was first seen
}

func newEarlyMessages(patience time.Duration) *earlyMessages {
	return &earlyMessages{patience: patience, since: map[early]time.Time{}}
}

// wait tells whether to wait longer for a message's record.
func (e *earlyMessages) wait(m early, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	since := e.since
	first, known := since[m]
	if !known && len(since) >= mostEarly {
		// A message that found its record was never taken out.
		maps.DeleteFunc(since, func(_ early, at time.Time) bool { return now.Sub(at) >= e.patience })
	}
	switch {
	case known && now.Sub(first) >= e.patience:
		delete(since, m)
		return false
	case !known && len(since) >= mostEarly:
		return false
	case !known:
		since[m] = now
	}
	return true
}
