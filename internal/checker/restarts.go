package checker

import (
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// containers are the job's containers, each as one run from its first start to
// its last end: what was started again where it was is one to the fleet.
func (j *job) containers() []*run {
	var all []*run
	byName := map[[2]string]*run{}
	for _, r := range j.runs {
		key := [2]string{r.node(), r.start.Container}
		c := byName[key]
		if c == nil {
			c = &run{start: r.start}
			byName[key] = c
			all = append(all, c)
		}
		c.end, c.until = r.end, r.until
	}
	return all
}

// restart is what the job says about being started again where it is.
func (j *job) restart() messages.Restart {
	if j.body == nil || j.body.Spec == nil || j.body.Spec.Restart == nil {
		return messages.Restart{}
	}
	return *j.body.Spec.Restart
}

// mayRestart tells whether the job's policy has another start for a run that has
// ended, after so many of them.
func (j *job) mayRestart(r *run, restarts int) bool {
	p := j.restart()
	if r.end == nil || p.Max > 0 && restarts >= p.Max {
		return false
	}
	switch p.Policy {
	case messages.RestartAlways, messages.RestartUnlessStopped:
		return true
	case messages.RestartOnFailure:
		code := r.end.ExitCode
		return code == nil || *code != 0 || r.end.Cause == CauseHarness
	}
	return false
}

// asked counts those who had asked for something that may start the container
// again.
func (j *job) asked(before time.Time) (n int) {
	for _, e := range j.stopAsks {
		if !e.At.After(before) {
			n++
		}
	}
	return n
}

// mayStartAgain tells whether the starts of one attempt may be several, on one
// node and one after the other: of a container that its policy, or somebody who
// asked, started again, or of new ones of a job that may be done twice.
func (m *model) mayStartAgain(j *job, runs []*run) bool {
	restarts, asked := 0, 0
	for i, r := range runs[1:] {
		before := runs[i]
		switch {
		case r.node() != before.node() || r.start.At.Add(m.cfg.Skew).Before(before.until):
			return false
		case r.start.Container != before.start.Container:
			if !j.policy().Idempotent {
				return false
			}
		case j.mayRestart(before, restarts):
			restarts++
		case asked < j.asked(r.start.At.Add(m.cfg.Skew)):
			asked++
		default:
			return false
		}
	}
	return true
}

// waits tells whether a container of the attempt that the record has may be
// about to be started again, after a run that has ended.
func (j *job) waits(r *run) bool {
	if j.live == nil || j.live.Node != r.node() || j.live.Attempt != r.attempt() {
		return false
	}
	restarts := -1 // the first start is none
	for _, x := range j.runs {
		if x.node() == r.node() && x.attempt() == r.attempt() {
			restarts++
		}
	}
	return j.mayRestart(r, restarts)
}

// unwell tells whether a service was given up by its node, since it never became
// healthy.
func (j *job) unwell(r *run) bool {
	if j.body == nil || j.body.Spec == nil || j.body.Spec.Health == nil || j.kind() != messages.KindService {
		return false
	}
	return slices.ContainsFunc(j.outcomes, func(e Event) bool {
		o := e.Outcome
		return o.Node == r.node() && o.Attempt == r.attempt() && o.Status == messages.StatusFailed &&
			o.Error != nil && o.Error.Code == messages.CodeUnavailable
	})
}
