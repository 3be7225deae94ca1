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
// record will go on from there. It runs in the job's lane.
func (p *Placer) apply(ctx context.Context, job string, ev placement.Event) error {
	for range conflicts {
		rec, revision, err := p.load(ctx, job, ev)
		if err != nil {
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
			return p.perform(ctx, job, next, revision, effects, false)
		}
		revision, err = p.write(ctx, job, rec, next, revision)
		switch {
		case err == nil:
			first := rec == nil || next.Attempt != rec.Attempt
			return p.perform(ctx, job, next, revision, effects, first)
		case errors.Is(err, bus.ErrConflict) || errors.Is(err, bus.ErrExists):
			p.forgetCopy(job)
		case rec == nil && errors.Is(err, bus.ErrTooLarge):
			return p.reject(ctx, job, messages.Error{Code: messages.CodeTooLarge, Message: messages.TruncateReason(err.Error())})
		default:
			return err
		}
	}
	return fmt.Errorf("job %s: lost %d races for its record; the event will come again", job, conflicts)
}

// behind tells whether the copy from which nothing followed was out of date,
// and brings it up to date. An event that changes nothing is acknowledged, so
// it must not be judged by a record that another placer has moved on. A tick is
// judged again and again anyway.
func (p *Placer) behind(ctx context.Context, job string, revision uint64, ev placement.Event) (bool, error) {
	if _, tick := ev.(placement.Tick); tick || revision == 0 {
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

// load is a job's record: the live one with its revision, or, at revision 0,
// the one it ended with, or nil. Only events that could begin a job look for
// the ended one; for the others a job without a record is errNoRecord.
func (p *Placer) load(ctx context.Context, job string, ev placement.Event) (*messages.Record, uint64, error) {
	if e, ok := p.records.get(job); ok {
		return e.record, e.revision, nil
	}
	found, err := p.jobs.Get(ctx, job)
	if err == nil {
		rec, err := decodeRecord(found.Value)
		if err != nil {
			return nil, 0, fmt.Errorf("job %s: its record at revision %d cannot be read: %w", job, found.Revision, err)
		}
		p.records.set(job, rec, found.Revision)
		return rec, found.Revision, nil
	}
	if !errors.Is(err, bus.ErrNotFound) {
		return nil, 0, fmt.Errorf("job %s: read its record: %w", job, err)
	}
	if !begins(ev) {
		return nil, 0, errNoRecord
	}
	rec, err := p.ended(ctx, job)
	return rec, 0, err
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

// write makes the record durable. One that has ended and owes nothing is not
// written but published, as the last word on the job (see finish); but a job
// that waited is written even then: another placer may be placing it at this
// moment, and only one of the two may win.
func (p *Placer) write(ctx context.Context, job string, was, rec *messages.Record, revision uint64) (uint64, error) {
	raced := revision > 0 && was != nil && was.State == messages.StatePending
	if rec.State.Ended() && len(rec.Fences) == 0 && !raced {
		return revision, nil
	}
	data, err := encodeRecord(rec)
	if err != nil {
		return 0, err
	}
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
