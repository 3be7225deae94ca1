package supervise

import (
	"cmp"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Plan is what a job asks for, with all that it leaves open filled in.
type Plan struct {
	Service bool
	Policy  messages.RestartPolicy
	Max     int           // restarts of the attempt; 0: no limit
	Delay   time.Duration // before the first of several in a row
	Check   *messages.Health
	Key     string // tells attempts apart, so that not all start again at once
}

// Defaults and bounds of a restart's delay. It doubles with every restart in a
// row, up to the longest; a run that lasted long enough ends the row.
const (
	defaultDelay  = time.Second
	shortestDelay = 100 * time.Millisecond
	longestDelay  = time.Minute
	longEnough    = 10 * time.Second
)

// soon is the pause between checks of a container that is only just starting.
const soon = time.Second

// For is the plan of an attempt that runs a container.
func For(job *messages.Job) Plan {
	p := Plan{
		Service: job.EffectiveKind() == messages.KindService,
		Policy:  messages.RestartNo,
		Key:     fmt.Sprintf("%s/%d", job.ID, job.Attempt),
	}
	if job.Spec == nil {
		return p
	}
	if r := job.Spec.Restart; r != nil {
		p.Policy, p.Max = r.Policy, r.Max
		p.Delay = max(cmp.Or(r.Delay.Std(), defaultDelay), shortestDelay)
	}
	if h := job.Spec.Health; h != nil {
		check := h.WithDefaults()
		p.Check = &check
	}
	return p
}

// Restarts tells whether a container may ever be started again.
func (p *Plan) Restarts() bool { return p.Policy != messages.RestartNo }

// grace is how long after its start a container's failed checks do not count: at
// least an interval, since a program needs a moment in any case.
func (p *Plan) grace() time.Duration {
	return max(p.Check.StartGrace.Std(), p.Check.Interval.Std())
}
