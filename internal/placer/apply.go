package placer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// conflicts is how often a lost race is run again before the event is left to
// come again.
const conflicts = 16

// errNoRecord says that an event is about a job that has no record and cannot
// begin one.
var errNoRecord = errors.New("there is no record of the job")

// apply brings an event to a job: it decides, writes, and then starts the
// effects. When it returns nil the event may be acknowledged: whoever finds the
// record will go on from there. What a verb asked for and cannot have is a
// *messages.Error. It runs in the job's lane.
func (p *Placer) apply(ctx context.Context, job string, ev placement.Event) error {
	for range conflicts {
		rec, revision, err := p.load(ctx, job, ev)
		if err != nil {
			return err
		}
		if over, err := p.over(ctx, rec, revision, ev); over || err != nil {
			return err
		}
		if ev, err = p.withHolder(ctx, rec, ev); err != nil {
			return err
		}
		next, effects := placement.Next(rec, ev, p.fleet.snapshot(), time.Now())
		if next == rec {
			behind, err := p.behind(ctx, job, revision, ev)
			if err != nil {
				return err
			}
			if behind {
				continue
			}
			return p.perform(ctx, deed{job: job, ev: ev, was: rec, rec: rec, revision: revision}, effects)
		}
		revision, err = p.write(ctx, job, rec, next, revision, ev)
		switch {
		case err == nil:
			return p.perform(ctx, deed{job: job, ev: ev, was: rec, rec: next, revision: revision, wrote: true}, effects)
		case errors.Is(err, bus.ErrConflict) || errors.Is(err, bus.ErrExists):
			p.forgetCopy(job)
		case rec == nil && errors.Is(err, bus.ErrTooLarge):
			return p.reject(ctx, job, next.Job.Op, messages.Error{Code: messages.CodeTooLarge, Message: messages.TruncateReason(err.Error())})
		default:
			return err
		}
	}
	return fmt.Errorf("job %s: lost %d races for its record; the event will come again", job, conflicts)
}

// withHolder adds to a new job, and to a retry, who else holds the name it needs.
func (p *Placer) withHolder(ctx context.Context, rec *messages.Record, ev placement.Event) (placement.Event, error) {
	switch e := ev.(type) {
	case placement.Submitted:
		if rec == nil {
			holder, err := p.otherHolder(ctx, &e.Job)
			e.Holder = holder
			return e, err
		}
	case placement.RetryAsked:
		if rec != nil && rec.State.Ended() {
			holder, err := p.otherHolder(ctx, &rec.Job)
			e.Holder = holder
			return e, err
		}
	}
	return ev, nil
}

// otherHolder is the live job, other than this one, that holds the name it
// needs; "" for none.
func (p *Placer) otherHolder(ctx context.Context, job *messages.Job) (string, error) {
	if !placement.NeedsName(job) {
		return "", nil
	}
	s, err := p.nameStands(ctx, nameKey(job), job.ID)
	holder, _ := s.holds()
	if holder == job.ID {
		holder = ""
	}
	return holder, err
}

// behind tells whether the copy from which nothing followed was out of date,
// and brings it up to date. An event that changes nothing is acknowledged, so
// it must not be judged by a record that another placer has moved on.
func (p *Placer) behind(ctx context.Context, job string, revision uint64, ev placement.Event) (bool, error) {
	if revision == 0 || judgedAgain(ev) {
		return false, nil
	}
	now, err := p.jobs.Get(ctx, job)
	switch {
	case errors.Is(err, bus.ErrNotFound):
		p.records.drop(job, revision)
		return true, nil
	case err != nil:
		return false, fmt.Errorf("job %s: read its record: %w", job, err)
	case now.Revision == revision:
		return false, nil
	}
	p.forgetCopy(job)
	return true, nil
}

// judgedAgain tells whether an event comes again for as long as it is true. It
// begins no job, and ends none that has no live record.
func judgedAgain(ev placement.Event) bool {
	switch ev.(type) {
	case placement.Tick, placement.NodeLost, placement.Vacate, placement.Claimed, placement.Superseded, placement.Replaced, placement.Unheard:
		return true
	}
	return false
}

// load is a job's record: the live one with its revision, or, at revision 0,
// the one it ended with, or nil for an event that may begin a job. For every
// other event a job without a record is errNoRecord.
func (p *Placer) load(ctx context.Context, job string, ev placement.Event) (*messages.Record, uint64, error) {
	if e, ok := p.records.get(job); ok {
		return e.record, e.revision, nil
	}
	rec, revision, err := p.stored(ctx, job)
	switch {
	case err != nil:
		return nil, 0, err
	case rec != nil:
		p.records.set(job, rec, revision)
		return rec, revision, nil
	case judgedAgain(ev):
		return nil, 0, errNoRecord
	}
	if _, again := ev.(placement.RetryAsked); again {
		rec, err = p.lastLife(ctx, job)
	} else {
		rec, err = p.ended(ctx, job)
	}
	if err == nil && rec == nil && !begins(ev) {
		err = errNoRecord
	}
	return settled(rec), 0, err
}

// settled is a last word without what was owed when it was said: a record goes
// only when that is paid, so it has been. Else the answer to a
// revoke that was sent twice would bring the record back, which would send them
// all again.
func settled(word *messages.Record) *messages.Record {
	if word == nil || placement.Settled(word) {
		return word
	}
	paid := *word
	paid.Fences, paid.Replaces = nil, nil
	return &paid
}

// stored is the record that the bucket has of a job, and its revision; nil when
// it has none.
func (p *Placer) stored(ctx context.Context, job string) (*messages.Record, uint64, error) {
	found, err := p.jobs.Get(ctx, job)
	switch {
	case errors.Is(err, bus.ErrNotFound):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("job %s: read its record: %w", job, err)
	}
	rec, err := decodeRecord(found.Value)
	if err != nil {
		return nil, 0, fmt.Errorf("job %s: its record at revision %d cannot be read: %w", job, found.Revision, err)
	}
	return rec, found.Revision, nil
}

// begins tells whether the event could be the first of a job.
func begins(ev placement.Event) bool {
	switch ev := ev.(type) {
	case placement.Submitted:
		return true
	case placement.Reported:
		return ev.Outcome.JobBody != nil
	}
	return false
}

// write makes the record durable, by compare-and-set. A job that has just begun
// and ended is not written but published, as the last word on it (see finish);
// nor is one that had ended and owes nothing any more: it is deleted. Nor is a
// task that is done, which spares the usual end of a task a write.
func (p *Placer) write(ctx context.Context, job string, was, rec *messages.Record, revision uint64, ev placement.Event) (uint64, error) {
	if rec.State.Ended() && placement.Settled(rec) && (revision == 0 || was.State.Ended() || done(was, rec, ev)) {
		return revision, nil
	}
	return p.writeRecord(ctx, job, rec, revision)
}

// done tells whether a task's node has said that it is done. That is so whatever
// other placers have written meanwhile: what they have handed over since is
// revoked (see deleteRecord). And if it is cut off, the outcome comes again. No
// other end is like that: whether a failure, or a revoke, ends a job depends on
// where the job stands. And one that waits may be being placed at this moment.
func done(was, rec *messages.Record, ev placement.Event) bool {
	_, reported := ev.(placement.Reported)
	return reported && rec.State == messages.StateCompleted && was.State != messages.StatePending &&
		rec.Job.EffectiveKind() == messages.KindTask
}

// writeRecord writes the record over the one at revision, or, at revision 0, as
// the first.
func (p *Placer) writeRecord(ctx context.Context, job string, rec *messages.Record, revision uint64) (uint64, error) {
	data, err := encodeRecord(rec)
	if err != nil {
		return 0, err
	}
	defer p.records.write(job, rec, data)()
	if revision == 0 {
		revision, err = p.jobs.Create(ctx, job, data)
	} else {
		revision, err = p.jobs.Update(ctx, job, data, revision)
	}
	if err != nil {
		return 0, fmt.Errorf("job %s: write its record as %s: %w", job, rec.State, err)
	}
	p.records.set(job, rec, revision)
	return revision, nil
}

// forgetCopy drops a copy that has lost a race, so that the next load reads the
// winner's.
func (p *Placer) forgetCopy(job string) {
	if e, ok := p.records.get(job); ok {
		p.records.drop(job, e.revision)
	}
}
