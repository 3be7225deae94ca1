package placer

import (
	"context"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// sweep looks at the records that wait, at every turn of the sweep's clock and
// whenever the peers have changed.
func (p *Placer) sweep(ctx context.Context) {
	tick := time.NewTicker(p.cfg.Sweep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-tick.C:
		}
		now := time.Now()
		for _, news := range p.fleet.expire(now) {
			p.nodeNews(news, true)
		}
		for _, e := range p.records.all() {
			p.look(e, now)
		}
	}
}

// lookNow wants a sweep before its clock's next turn.
func (p *Placer) lookNow() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// look takes up a record if it is its time.
func (p *Placer) look(e entry, now time.Time) {
	job := e.record.Job.ID
	switch {
	case e.record.State == messages.StatePending:
		if !now.Before(e.record.NotBefore) || overdue(e.record, now) {
			p.bring(job, placement.Tick{})
		}
	case len(placement.Due(e.record)) > 0 && p.stoodStill(e, now):
		p.lanes.put(job, func() { p.takeUp(job, e.revision) })
	}
}

// overdue tells whether a job's deadline is over, whatever it waits for.
func overdue(r *messages.Record, now time.Time) bool {
	limit := r.Job.Policy.Deadline.Std()
	return limit > 0 && now.After(r.Created.Add(limit))
}

// stoodStill tells whether a record has been unchanged, and untried by this
// placer, for twice a request's time-out: then its owner is not at work on it.
func (p *Placer) stoodStill(e entry, now time.Time) bool {
	still := 2 * p.cfg.RequestTimeout
	return now.Sub(e.seen) > still && now.Sub(e.tried) > still
}

// takeUp performs what is due for a record that still stands at the revision.
func (p *Placer) takeUp(job string, revision uint64) {
	e, ok := p.records.get(job)
	if !ok || e.revision != revision {
		return
	}
	p.log.Info("taking up a job that stood still", "job", job, "state", e.record.State, "node", e.record.Node, "attempt", e.record.Attempt)
	if err := p.perform(p.ctx, job, e.record, revision, placement.Due(e.record), false); err != nil && p.ctx.Err() == nil {
		p.log.Warn("a job could not be taken up", "job", job, "error", err)
	}
}
