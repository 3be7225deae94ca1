package messages

import (
	"cmp"
	"time"
)

// Defaults of a Health, and the shortest interval: a check that asks for less is
// made as often as that.
const (
	defaultCheckInterval = Duration(5 * time.Second)
	defaultCheckTimeout  = Duration(2 * time.Second)
	defaultCheckRetries  = 3
	shortestInterval     = Duration(100 * time.Millisecond)
)

// WithDefaults is the check with all that the job has left out.
func (h Health) WithDefaults() Health {
	h.Interval = max(cmp.Or(h.Interval, defaultCheckInterval), shortestInterval)
	h.Timeout = cmp.Or(h.Timeout, defaultCheckTimeout)
	h.Retries = cmp.Or(h.Retries, defaultCheckRetries)
	return h
}
