package placer

import (
	"context"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

const (
	// looksPerTurn is how often, in one turn of the sweep's clock, silent nodes
	// are looked for: jobs wait for that.
	looksPerTurn = 5
	// stalled is how late a look must come for this placer to doubt that it has
	// heard its nodes meanwhile.
	stalled = 2 * time.Second
	// batch is how many waiting jobs are looked at in one turn, when nothing has
	// happened that gives each of them a chance.
	batch = 1000
)

// sweep looks for silent nodes, at the records that wait, and at what else comes
// with time alone: at every turn of its clock, and whenever the peers have
// changed.
func (p *Placer) sweep(ctx context.Context) {
	tick := time.NewTicker(p.cfg.Sweep / looksPerTurn)
	defer tick.Stop()
	p.listening = time.Now()
	last, asked := p.listening, p.listening
	for n := 1; ; n++ {
		woken := false
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
			woken = true
		case <-tick.C:
		}
		now := time.Now()
		if now.Sub(last) > p.cfg.Sweep+stalled {
			p.listening = now
		}
		last = now
		p.judge(now)
		if !woken && n%looksPerTurn != 0 {
			continue
		}
		t := p.turns()
		p.lookAtNodes(now, t)
		p.lookAtRecords(now, t, woken)
		if now.Sub(p.started) >= p.cfg.Heartbeat { // by now the other placers are known
			p.reconcile(now, t)
		}
		if now.Sub(asked) >= p.cfg.QuietAfter/4 {
			asked = now
			p.askQuiet(now, t)
		}
	}
}

// connection is since when this placer has heard its nodes without a break; zero
// when it does not.
func (p *Placer) connection() time.Time {
	connected, since := p.cfg.Bus.Connection()
	echo := p.placers.hearsItself(time.Now(), 2*p.cfg.Heartbeat+p.cfg.Heartbeat/6)
	if !connected || echo.IsZero() {
		return time.Time{}
	}
	return latest(latest(since, p.listening), echo)
}

// lookNow wants a sweep before its clock's next turn.
func (p *Placer) lookNow() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// lookAtRecords brings what is due to the jobs that wait (when woken, to all of
// them), and takes up what has stood still.
func (p *Placer) lookAtRecords(now time.Time, t turns, woken bool) {
	for left := p.records.waiting(); left > 0; {
		found, looked := p.records.next(min(left, batch), func(e *entry) bool { return p.waits(e, now, t) })
		for _, e := range found {
			p.records.try(e.record.Job.ID, now)
			p.bring(e.record.Job.ID, placement.Tick{})
		}
		if left -= looked; !woken || looked == 0 {
			break
		}
	}
	for _, e := range p.records.due(func(e *entry) bool { return overdue(e.record, now) || p.stoodStill(e, now, t) }) {
		job := e.record.Job.ID
		if overdue(e.record, now) && e.record.State != messages.StatePending {
			if now.Sub(e.still()) >= t.patience(job, true) {
				p.bring(job, placement.Tick{})
			}
			continue
		}
		p.lanes.put(job, func() { p.takeUp(job, e.revision) })
	}
}

// waits tells whether a pending record is to be looked at now.
func (p *Placer) waits(e *entry, now time.Time, t turns) bool {
	rec := e.record
	if now.Before(rec.NotBefore) && !overdue(rec, now) {
		return false
	}
	patience := t.patience(rec.Job.ID, true)
	return patience == 0 || now.Sub(latest(e.still(), rec.NotBefore)) >= patience
}

// overdue tells whether a job's deadline is over, and something is to follow
// from it.
func overdue(r *messages.Record, now time.Time) bool {
	limit := r.Job.Policy.Deadline.Std()
	return limit > 0 && now.After(r.Created.Add(limit)) && (r.State == messages.StatePending || bounded(r))
}

// stoodStill tells whether a record of which something is due has been
// unchanged, and untried by this placer, for so long that nobody is at work on
// it. That a node is looked for, again and again, pays no revoke.
func (p *Placer) stoodStill(e *entry, now time.Time, t turns) bool {
	since := e.still()
	if e.record.State == messages.StatePending {
		since = latest(e.seen, e.taken)
	}
	return e.owing && now.Sub(since) > t.slow && now.Sub(since) > t.patience(e.record.Job.ID, false) && len(p.possible(e.record)) > 0
}

// possible is what is due for a record and can be done: a node that is not there
// is told nothing, and is told when it is back.
func (p *Placer) possible(rec *messages.Record) []placement.Effect {
	return slices.DeleteFunc(placement.Due(rec), func(effect placement.Effect) bool {
		r, revoke := effect.(placement.Revoke)
		return revoke && !p.fleet.answers(r.Node)
	})
}

// takeUp performs what is due for a record that still stands at the revision.
func (p *Placer) takeUp(job string, revision uint64) {
	e, ok := p.records.get(job)
	if !ok || e.revision != revision {
		return
	}
	p.records.note(job, func(e *entry) { e.taken = time.Now() })
	due := p.possible(e.record)
	p.log.Info("taking up a job that stood still", "job", job, "state", e.record.State, "node", e.record.Node, "attempt", e.record.Attempt)
	if err := p.perform(p.ctx, deed{job: job, rec: e.record, revision: revision}, due); err != nil && p.ctx.Err() == nil {
		p.log.Warn("a job could not be taken up", "job", job, "error", err)
	}
}
