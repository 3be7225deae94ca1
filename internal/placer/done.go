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
	rec, _, err := p.lastWord(ctx, job)
	return rec, err
}

// lastWord is what was last said on a job's subject of the ended ones, and its
// sequence. What a stranger put there that is no ended record of that job is no
// word (rec is nil), or it would block the id; a record of a version that this
// build does not speak is an error, since a newer placer said it.
func (p *Placer) lastWord(ctx context.Context, job string) (rec *messages.Record, sequence uint64, err error) {
	root := p.cfg.Root
	last, err := p.cfg.Bus.Last(ctx, root.Stream(messages.StreamDone), root.Done(job))
	switch {
	case errors.Is(err, bus.ErrNotFound):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("job %s: look whether it has ended: %w", job, err)
	}
	rec, err = decodeRecord(last.Data)
	if e, ok := errors.AsType[*messages.Error](err); ok && e.Code == messages.CodeUnsupportedVersion {
		return nil, 0, fmt.Errorf("job %s: the record it ended with: %w", job, err)
	}
	if err == nil {
		err = rec.CheckSubject(job)
	}
	if err != nil || !rec.State.Ended() {
		p.log.Warn("what was said as a job's last word is none", "job", job, "sequence", last.Sequence, "error", err)
		return nil, last.Sequence, nil
	}
	return rec, last.Sequence, nil
}

// sayDone publishes the ended record, if no last word has been said on the job;
// said is false when one has.
func (p *Placer) sayDone(ctx context.Context, rec *messages.Record) (said bool, err error) {
	job, expect := rec.Job.ID, uint64(0)
	for range conflicts {
		err := p.publishRecord(ctx, p.cfg.Root.Done(job), rec, strconv.FormatUint(expect, 10))
		if !errors.Is(err, bus.ErrConflict) {
			return err == nil, err
		}
		word, sequence, err := p.lastWord(ctx, job)
		if err != nil || word != nil {
			return false, err
		}
		expect = sequence
	}
	return false, fmt.Errorf("job %s: others say again and again that it has ended", job)
}

// sayDead publishes the record of a dead job for its operators. first says that
// this placer has just said the last word; else one that did may have been
// killed before it came to this.
func (p *Placer) sayDead(ctx context.Context, rec *messages.Record, first bool) error {
	job, expect := rec.Job.ID, ""
	if !first {
		if last, err := p.ended(ctx, job); err != nil || last == nil || last.State != messages.StateDead {
			return err
		}
		expect = "0"
	}
	err := p.publishRecord(ctx, p.cfg.Root.Dead(job), rec, expect)
	if errors.Is(err, bus.ErrConflict) {
		return nil
	}
	return err
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
