package lease

import "time"

// Terms are what a lease promises.
type Terms struct {
	TTL    time.Duration `json:"ttl"`    // from the send of a renewal; as it is told to placers
	Margin time.Duration `json:"margin"` // before TTL, by which everything has ended; for clocks that run at different speeds
	Kill   time.Duration `json:"kill"`   // what the end of a container takes once it is killed
}

// leastKill is what a container's end takes at least, however short the lease.
const leastKill = 500 * time.Millisecond

// defaultGrace is a container's grace when its job does not say; it is cut to
// what suits the lease.
const defaultGrace = 10 * time.Second

// For is the terms of a lease that lasts for ttl.
func For(ttl time.Duration) Terms {
	return Terms{TTL: ttl, Margin: ttl / 10, Kill: max(ttl/10, leastKill)}
}

// LongestGrace is the longest grace that a container under the lease may have:
// a longer one would have to begin before the next renewal can be here. It is
// not above 0 when nothing fits.
func (t Terms) LongestGrace() time.Duration { return t.TTL - t.Margin - t.Kill - t.TTL/5 }

// Grace is the grace of a container whose job asks for the one given; 0 is a
// job that does not say. ok is false when it does not fit.
func (t Terms) Grace(asked time.Duration) (grace time.Duration, ok bool) {
	grace = asked
	if asked == 0 {
		grace = min(defaultGrace, t.TTL/3, t.LongestGrace())
	}
	return grace, grace >= 0 && grace <= t.LongestGrace()
}

// RenewEvery is the pause between renewals while containers with a grace up to
// the one given are under the lease: twice before the first of them would have
// to stop.
func (t Terms) RenewEvery(longest time.Duration) time.Duration {
	return min(t.TTL/3, (t.TTL-t.Margin-t.Kill-longest)/2)
}

// end is when nothing may run any more.
func (t Terms) end(sent time.Duration) time.Duration { return sent + t.TTL - t.Margin }
