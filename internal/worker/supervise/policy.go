package supervise

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// restarts tells whether the policy has another start for an end that nobody
// has asked for. `unless_stopped` differs from `always` only in how it reads: a
// stop ends an attempt under either.
func (p *Plan) restarts(before int, ev Ended) bool {
	if p.Max > 0 && before >= p.Max {
		return false
	}
	switch p.Policy {
	case messages.RestartAlways, messages.RestartUnlessStopped:
		return true
	case messages.RestartOnFailure:
		return ev.Code != 0 || ev.Reason != messages.ExitExited
	}
	return false
}

// delay is the pause before a restart, the inARow-th (from 0) since a run lasted
// long enough: less up to a quarter, which differs from one restart to another.
func (p *Plan) delay(inARow, restarts int) time.Duration {
	d, longest := p.Delay, max(p.Delay, longestDelay)
	for range min(inARow, 10) {
		d = min(2*d, longest)
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s/%d", p.Key, restarts)
	return d - time.Duration(float64(h.Sum32())/(1<<32)*float64(d)/4)
}

// lasted is how long the run was: by the runtime's clock, or else by the
// worker's.
func (t *turn) lasted(ev Ended) time.Duration {
	if ev.Began.IsZero() || ev.Finished.IsZero() {
		return t.now.Sub(t.Since)
	}
	return ev.Finished.Sub(ev.Began)
}
