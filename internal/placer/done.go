package placer

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// ended is the record a job ended with, or nil when none is remembered.
func (p *Placer) ended(ctx context.Context, job string) (*messages.Record, error) {
	rec, _, err := p.word(ctx, messages.StreamDone, job)
	return rec, err
}

// lastLife is the record of a job that has no live one, as it ended; one that
// ended dead is remembered longer than others. What was owed when the last word
// was said has been paid, or let go, or the live record would still be there.
func (p *Placer) lastLife(ctx context.Context, job string) (*messages.Record, error) {
	rec, err := p.ended(ctx, job)
	if err == nil && rec == nil {
		rec, _, err = p.word(ctx, messages.StreamDead, job)
	}
	return settled(rec), err
}

// subjectOf is a job's subject in one of the two streams of ended records.
func (p *Placer) subjectOf(stream, job string) string {
	if stream == messages.StreamDead {
		return p.cfg.Root.Dead(job)
	}
	return p.cfg.Root.Done(job)
}

// word is what was last said on a job's subject in a stream of ended records,
// and its sequence. What a stranger put there that is no ended record of that
// job is no word (rec is nil), or it would block the id; a record of a version
// that this build does not speak is an error, since a newer placer said it.
func (p *Placer) word(ctx context.Context, stream, job string) (rec *messages.Record, sequence uint64, err error) {
	last, err := p.cfg.Bus.Last(ctx, p.cfg.Root.Stream(stream), p.subjectOf(stream, job))
	switch {
	case errors.Is(err, bus.ErrNotFound):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("job %s: look whether it has ended: %w", job, err)
	}
	rec, err = endedRecord(last.Data, job)
	if e, ok := errors.AsType[*messages.Error](err); ok && e.Code == messages.CodeUnsupportedVersion {
		return nil, 0, fmt.Errorf("job %s: the record it ended with: %w", job, err)
	}
	if err != nil {
		p.log.Warn("what was said as a job's last word is none", "job", job, "sequence", last.Sequence, "error", err)
		return nil, last.Sequence, nil
	}
	return rec, last.Sequence, nil
}

// endedRecord reads the record of a job that has ended.
func endedRecord(data []byte, job string) (*messages.Record, error) {
	rec, err := decodeRecord(data)
	if err == nil {
		err = rec.CheckSubject(job)
	}
	if err == nil && !rec.State.Ended() {
		err = fmt.Errorf("a job that is %s has not ended", rec.State)
	}
	if err != nil {
		return nil, err
	}
	return rec, nil
}

// sayDone publishes the ended record, unless the last word on this life of the
// job has been said; said is false when it has. first says that nobody can have
// said it: else it is looked for before anything is published, since whoever
// listens without the stream hears what the stream then refuses.
func (p *Placer) sayDone(ctx context.Context, rec *messages.Record, first bool) (said bool, err error) {
	return p.sayOnce(ctx, messages.StreamDone, rec, first)
}

// sayDead publishes the record of a dead job for its operators. first says that
// this placer has just said the last word; else one that did may have been
// killed before it came to this.
func (p *Placer) sayDead(ctx context.Context, rec *messages.Record, first bool) error {
	if !first {
		word, err := p.ended(ctx, rec.Job.ID)
		if err != nil || word == nil || word.State != messages.StateDead || word.Retries != rec.Retries {
			return err
		}
	}
	_, err := p.sayOnce(ctx, messages.StreamDead, rec, first && rec.Retries == 0)
	return err
}

// sayOnce publishes an ended record, unless one of the same life of the job, or
// of a later one, stands there; one of an earlier life it replaces. first says
// that none is expected to stand there.
func (p *Placer) sayOnce(ctx context.Context, stream string, rec *messages.Record, first bool) (said bool, err error) {
	job, expect := rec.Job.ID, uint64(0)
	for range conflicts {
		if !first {
			word, sequence, err := p.word(ctx, stream, job)
			if err != nil || word != nil && word.Retries >= rec.Retries {
				return false, err
			}
			expect = sequence
		}
		err := p.publishRecord(ctx, p.subjectOf(stream, job), rec, strconv.FormatUint(expect, 10))
		if !errors.Is(err, bus.ErrConflict) {
			return err == nil, err
		}
		first = false
	}
	return false, fmt.Errorf("job %s: others say again and again that it has ended", job)
}

// repeat says the last word again.
func (p *Placer) repeat(ctx context.Context, rec *messages.Record) error {
	return p.publishRecord(ctx, p.cfg.Root.Done(rec.Job.ID), rec, "")
}

// publishRecord publishes a record; with expect it is a compare-and-set on the
// subject's last sequence.
func (p *Placer) publishRecord(ctx context.Context, subject string, rec *messages.Record, expect string) error {
	data, err := encodeRecord(rec)
	if err != nil {
		return err
	}
	m := bus.Message{Subject: subject, Data: data}
	if expect != "" {
		m.Header = bus.Header{messages.HeaderExpectSeq: expect}
	}
	if _, err := p.cfg.Bus.Append(ctx, m); err != nil {
		return fmt.Errorf("publish on %s: %w", subject, err)
	}
	return nil
}
