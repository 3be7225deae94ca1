package supervise

import (
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// sayEvery is how often, at most, it is said that a service has become healthy,
// or is so no longer: one that flaps must not flood the bus.
const sayEvery = 10 * time.Second

// resetHealth begins the checks of a run anew. One that a worker before this one
// had found healthy, or not, is that until a check says otherwise.
func (t *turn) resetHealth(known bool) {
	t.Failing, t.Output, t.CheckAt = 0, "", time.Time{}
	if t.plan.Check == nil {
		return
	}
	t.CheckAt = t.now
	switch {
	case !known || !t.Said:
		t.Status = Starting
	case t.Healthy:
		t.Status = Healthy
	default:
		t.Status = Unhealthy
	}
}

// checked takes in what a check of the present run found.
func (t *turn) checked(ev Checked) {
	c := t.plan.Check
	if c == nil || !t.Up || !t.idle() || !ev.Began.Equal(t.Began) {
		return
	}
	t.CheckAt = t.now.Add(c.Interval.Std())
	if ev.Void {
		return
	}
	t.Output = ev.Output
	switch {
	case ev.Healthy:
		t.Failing = 0
		if t.Status != Healthy {
			t.Status = Healthy
			t.tell(messages.EventHealthy, "%s", ev.Output)
		}
	case t.Status == Starting && t.now.Before(t.Since.Add(t.plan.grace())):
		t.CheckAt = t.now.Add(min(c.Interval.Std(), soon))
	default:
		t.fails()
	}
}

// fails counts a failed check. A service that has never been healthy is given up
// here: another node may do better.
func (t *turn) fails() {
	t.Failing++
	if t.Failing < t.plan.Check.Retries || t.Status == Unhealthy {
		return
	}
	t.Status = Unhealthy
	t.tell(messages.EventUnhealthy, "%s", t.Output)
	if t.plan.Service && !t.Said {
		t.end(&messages.Error{
			Code: messages.CodeUnavailable, Retryable: true,
			Message: messages.TruncateReason(fmt.Sprintf("not healthy: %d checks in a row have failed; the last: %s", t.Failing, t.Output)),
		})
	}
}

// well tells whether a service is as it should be: its container runs, and its
// check, if it has one, has passed.
func (s *State) well(p *Plan) bool {
	return s.Up && (p.Check == nil || s.Status == Healthy)
}

// say says that a service runs, first when it is well; then each change, at a
// pace.
func (t *turn) say() {
	well := t.well(t.plan)
	switch {
	case !t.plan.Service || t.Over:
		return
	case !t.Said && !well:
		return
	case t.Said && (well == t.Healthy || t.now.Before(t.SaidAt.Add(sayEvery))):
		return
	}
	t.Said, t.Healthy, t.SaidAt = true, well, t.now
	t.do(Say{Healthy: well})
}
