package placer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// The bucket of names says which live job holds the name of a container. A claim
// is as good as its job's record: one whose job has ended, or never was, is
// anybody's to take over. Whoever changes a claim does so by compare-and-set.

// nameKey is the key of the name that a job's container has.
func nameKey(job *messages.Job) string {
	return job.EffectiveService() + "." + strconv.FormatUint(uint64(job.Replica), 10)
}

// claim claims the name of the record's container and brings the answer to the
// job's lane. Without an answer nothing is known, and the sweep claims again.
func (p *Placer) claim(ctx context.Context, rec *messages.Record) {
	job := rec.Job.ID
	holder, err := p.holdName(ctx, nameKey(&rec.Job), job)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Warn("a name could not be claimed; it is tried again", "job", job, "name", nameKey(&rec.Job), "error", err)
		}
		return
	}
	p.lanes.put(job, func() {
		err := p.apply(p.ctx, job, placement.Claimed{Holder: holder})
		if errors.Is(err, errNoRecord) && holder == job {
			err = p.releaseName(p.ctx, rec, 0) // it has ended meanwhile
		}
		p.applied(job, err)
	})
}

// holdName sets the claim on a name to job, unless another live job holds it;
// it tells who holds it then. A claim of the job's own is written again: the
// end of an earlier life of the job may be about to let go of it.
func (p *Placer) holdName(ctx context.Context, name, job string) (holder string, err error) {
	value, err := json.Marshal(messages.NameClaim{Job: job})
	if err != nil {
		return "", err
	}
	for range conflicts {
		holder, revision, err := p.liveHolder(ctx, name, job)
		if err != nil {
			return "", err
		}
		switch {
		case holder != "" && holder != job:
			return holder, nil
		case revision == 0:
			_, err = p.names.Create(ctx, name, value)
		default:
			_, err = p.names.Update(ctx, name, value, revision)
		}
		if err == nil {
			return job, nil
		}
		if !errors.Is(err, bus.ErrExists) && !errors.Is(err, bus.ErrConflict) {
			return "", fmt.Errorf("claim the name %s: %w", name, err)
		}
	}
	return "", fmt.Errorf("claim the name %s: others claim it again and again", name)
}

// liveHolder is the job that holds a name, or "" when nobody does whose record
// is live, and the revision of what stands there, 0 for nothing. asker, who may
// hold it, is not looked up.
func (p *Placer) liveHolder(ctx context.Context, name, asker string) (holder string, revision uint64, err error) {
	found, err := p.names.Get(ctx, name)
	switch {
	case errors.Is(err, bus.ErrNotFound):
		return "", 0, nil
	case err != nil:
		return "", 0, fmt.Errorf("look who holds the name %s: %w", name, err)
	}
	var claim messages.NameClaim
	if err := json.Unmarshal(found.Value, &claim); err != nil || claim.Job == "" {
		p.log.Warn("a claim that cannot be read is taken over", "name", name, "error", err)
		return "", found.Revision, nil
	}
	if claim.Job == asker {
		return asker, found.Revision, nil
	}
	live, err := p.isLive(ctx, claim.Job)
	if err != nil || !live {
		return "", found.Revision, err
	}
	return claim.Job, found.Revision, nil
}

// isLive tells whether a job has a record that has not ended. It asks the bucket:
// a copy may be old, and what a job is refused for must be so.
func (p *Placer) isLive(ctx context.Context, job string) (bool, error) {
	rec, _, err := p.stored(ctx, job)
	return rec != nil && !rec.State.Ended(), err
}

// releaseName lets go of the name that an ended job holds, unless another life
// of it has begun meanwhile. revision is that of the ended record, or of the one
// it was made from.
func (p *Placer) releaseName(ctx context.Context, rec *messages.Record, revision uint64) error {
	if !placement.NeedsName(&rec.Job) {
		return nil
	}
	name := nameKey(&rec.Job)
	holder, at, err := p.liveHolder(ctx, name, rec.Job.ID)
	if err != nil || holder != rec.Job.ID {
		return err
	}
	// The claim was read before the record: if the next life begins after this,
	// it writes the claim anew, and the deletion finds another revision.
	now, current, err := p.stored(ctx, rec.Job.ID)
	if err != nil || now != nil && current != revision && !now.State.Ended() {
		return err
	}
	err = p.names.Delete(ctx, name, at)
	if err == nil || errors.Is(err, bus.ErrNotFound) || errors.Is(err, bus.ErrConflict) {
		return nil
	}
	return fmt.Errorf("let go of the name %s: %w", name, err)
}
