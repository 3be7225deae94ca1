package placer

import (
	"context"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// Outcomes can be dropped: their stream is bounded, and so is the time that a
// message is kept. A job that runs and has not been heard of for long is
// therefore asked about.

// asking is how often, and when last, a record's worker was asked about it.
type asking struct {
	at    time.Time
	times int
}

// mostPatience is how much rarer than at first, at most, a job is asked about
// that goes on running.
const mostPatience = 16

// pause is how long a job must have been quiet before it is asked about (again).
func (a asking) pause(after time.Duration) time.Duration {
	return after * time.Duration(min(1<<min(a.times, 8), mostPatience))
}

// quiet tells whether nothing has been heard of a running job for too long.
func quiet(e *entry, now time.Time, after time.Duration) bool {
	last := e.seen
	if e.asked.at.After(last) {
		last = e.asked.at
	}
	return e.record.State == messages.StateRunning && now.Sub(last) >= e.asked.pause(after)
}

// askQuiet asks about the jobs of this placer's that have been quiet for too
// long, a few at a time; the rest is asked about the next time.
func (p *Placer) askQuiet(now time.Time, t turns) {
	asked := 0
	for _, e := range p.records.matching(func(e *entry) bool {
		if asked >= cap(p.asks) || !quiet(e, now, p.cfg.QuietAfter) || !p.fleet.answers(e.record.Node) || !t.mine(e.record.Job.ID) {
			return false
		}
		asked++
		return true
	}) {
		if !p.asks.enter() {
			return
		}
		p.records.note(e.record.Job.ID, func(e *entry) { e.asked = asking{now, e.asked.times + 1} })
		p.beside(func(ctx context.Context) {
			defer p.asks.leave()
			rec := e.record
			p.askAbout(ctx, rec.Job.ID, rec.Node, rec.Attempt, rec.Journal)
			if s := rec.Successor; s != nil && s.Accepted {
				p.askAbout(ctx, rec.Job.ID, s.Node, s.Attempt, s.Journal)
			}
		})
	}
}

// askAbout asks a node's worker what has become of an attempt that was handed
// over to a journal, and brings the answer to the job.
func (p *Placer) askAbout(ctx context.Context, job, node string, attempt uint64, journal string) {
	o, err := p.attemptOf(ctx, node, job, attempt)
	switch {
	case err == nil:
		p.bring(job, placement.Reported{Outcome: o})
	case isCode(err, messages.CodeNotFound) && journal != "" && p.speaksFor(node, journal):
		p.bringLoss(job, placement.NodeLost{Node: node, Journal: journal, Reason: "its worker knows nothing of it"})
	case ctx.Err() == nil:
		p.log.Warn("a quiet job was asked about in vain", "job", job, "node", node, "error", err)
	}
}

// speaksFor tells whether what a node's worker says holds for an attempt that was
// handed over to a journal: it is that journal's, or for sure the only worker
// there.
func (p *Placer) speaksFor(node, journal string) bool {
	s := p.fleet.see(node, time.Now())
	return s.journal == journal || s.steady
}
