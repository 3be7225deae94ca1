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
func (p *Placer) claim(ctx context.Context, rec *messages.Record, take bool) {
	job := rec.Job.ID
	ev, err := p.holdName(ctx, rec, take)
	if err != nil {
		if ctx.Err() == nil {
			p.log.Warn("a name could not be claimed; it is tried again", "job", job, "name", nameKey(&rec.Job), "error", err)
		}
		return
	}
	p.lanes.put(job, func() {
		err := p.apply(p.ctx, job, ev)
		if errors.Is(err, errNoRecord) && ev.Holder == job {
			err = p.releaseName(p.ctx, rec, 0) // it has ended meanwhile
		}
		p.applied(job, err)
	})
}

// holdName asks for a name for the record's job, and tells what came of it.
func (p *Placer) holdName(ctx context.Context, rec *messages.Record, take bool) (placement.Claimed, error) {
	name := nameKey(&rec.Job)
	for range conflicts {
		s, err := p.nameStands(ctx, name, rec.Job.ID)
		if err != nil {
			return placement.Claimed{}, err
		}
		want, ev := s.asked(rec, take)
		if err = p.writeClaim(ctx, name, want, s.revision); err == nil {
			return ev, nil
		}
		if !errors.Is(err, bus.ErrExists) && !errors.Is(err, bus.ErrConflict) {
			return placement.Claimed{}, fmt.Errorf("claim the name %s: %w", name, err)
		}
	}
	return placement.Claimed{}, fmt.Errorf("claim the name %s: others claim it again and again", name)
}

// writeClaim puts a claim in the place of the one at revision, 0 for none. No
// claim is nothing to write.
func (p *Placer) writeClaim(ctx context.Context, name string, claim messages.NameClaim, revision uint64) error {
	if claim == (messages.NameClaim{}) {
		return nil
	}
	value, err := json.Marshal(claim)
	if err != nil {
		return err
	}
	if revision == 0 {
		_, err = p.names.Create(ctx, name, value)
	} else {
		_, err = p.names.Update(ctx, name, value, revision)
	}
	return err
}

// nameStanding is a claim as it stands, with the records of the jobs in it that
// are live; whose they are is asker's, if it is one of them, without a look.
type nameStanding struct {
	asker        string
	claim        messages.NameClaim
	revision     uint64 // 0: there is none
	holder, next *messages.Record
}

// holds is the live job that holds the name: the one that is to take it over when
// the one that has it is no more; "" for none.
func (s *nameStanding) holds() (job string, rec *messages.Record) {
	switch {
	case s.claim.Job == s.asker && s.asker != "":
		return s.asker, nil
	case s.holder != nil:
		return s.claim.Job, s.holder
	case s.next != nil:
		return s.claim.Next, s.next
	}
	return "", nil
}

// asked is the claim that is to be written when the record's job asks for the
// name, none if it may stay as it is, and what the job is told. A claim of the
// job's own is written again: the end of an earlier life of the job may be about
// to let go of it.
func (s *nameStanding) asked(rec *messages.Record, take bool) (messages.NameClaim, placement.Claimed) {
	job := rec.Job.ID
	holder, held := s.holds()
	switch {
	case holder == job:
		next := s.claim.Next
		if s.next == nil {
			next = ""
		}
		return messages.NameClaim{Job: job, Next: next}, placement.Claimed{Holder: job}
	case holder == "" || take && s.claim.Next == job && rec.Replaces != nil && rec.Replaces.Job == holder:
		return messages.NameClaim{Job: job}, placement.Claimed{Holder: job}
	case !rec.Job.Args.Replace:
		return messages.NameClaim{}, placement.Claimed{Holder: holder, Other: held}
	case s.next != nil && s.claim.Next != holder:
		return messages.NameClaim{}, placement.Claimed{Holder: holder, Next: s.claim.Next, Other: s.next}
	}
	ev := placement.Claimed{Holder: holder, Next: job, Other: held}
	want := messages.NameClaim{Job: holder, Next: job}
	if want == s.claim {
		want = messages.NameClaim{}
	}
	return want, ev
}

// nameStands reads the claim on a name.
func (p *Placer) nameStands(ctx context.Context, name, asker string) (nameStanding, error) {
	s := nameStanding{asker: asker}
	found, err := p.names.Get(ctx, name)
	switch {
	case errors.Is(err, bus.ErrNotFound):
		return s, nil
	case err != nil:
		return s, fmt.Errorf("look who holds the name %s: %w", name, err)
	}
	s.revision = found.Revision
	if err := json.Unmarshal(found.Value, &s.claim); err != nil || s.claim.Job == "" {
		p.log.Warn("a claim that cannot be read is taken over", "name", name, "error", err)
		s.claim = messages.NameClaim{}
		return s, nil
	}
	if s.holder, err = p.liveRecord(ctx, s.claim.Job, asker); err == nil {
		s.next, err = p.liveRecord(ctx, s.claim.Next, asker)
	}
	return s, err
}

// liveRecord is a job's record, or nil if it has none that has not ended; asker's
// is not looked up. It asks the bucket: a copy may be old, and what a job is
// refused for must be so.
func (p *Placer) liveRecord(ctx context.Context, job, asker string) (*messages.Record, error) {
	if job == "" || job == asker {
		return nil, nil
	}
	rec, _, err := p.stored(ctx, job)
	if rec != nil && rec.State.Ended() {
		rec = nil
	}
	return rec, err
}

// isLive tells whether a job has a record that has not ended.
func (p *Placer) isLive(ctx context.Context, job string) (bool, error) {
	rec, err := p.liveRecord(ctx, job, "")
	return rec != nil, err
}

// releaseName lets go of the name that an ended job holds, unless another life
// of it has begun meanwhile: for the job that is to take it over, and else for
// anybody. A job that ended before it was told that the name is its own gives it
// back to the one it would have replaced. revision is that of the ended record, or
// of the one it was made from.
func (p *Placer) releaseName(ctx context.Context, rec *messages.Record, revision uint64) error {
	if !placement.NeedsName(&rec.Job) {
		return nil
	}
	job, name := rec.Job.ID, nameKey(&rec.Job)
	s, err := p.nameStands(ctx, name, job)
	if err != nil || s.claim.Job != job {
		if s.holder != nil {
			p.beside(func(context.Context) { // which may have waited for that
				p.bring(s.claim.Job, placement.Superseded{Job: job, Life: rec.Retries})
			})
		}
		return err
	}
	var back string
	if rec.Replaces != nil && !rec.Named {
		if live, err := p.isLive(ctx, rec.Replaces.Job); err != nil {
			return err
		} else if live {
			back = rec.Replaces.Job
		}
	}
	// The claim was read before the record: if the next life begins after this,
	// it writes the claim anew, and what is done here finds another revision.
	now, current, err := p.stored(ctx, job)
	if err != nil || now != nil && current != revision && !now.State.Ended() {
		return err
	}
	err = p.leaveName(ctx, name, &s, back)
	if err == nil || errors.Is(err, bus.ErrNotFound) || errors.Is(err, bus.ErrConflict) {
		return nil
	}
	return fmt.Errorf("let go of the name %s: %w", name, err)
}

// leaveName gives a name back, or to the next one, or frees it.
func (p *Placer) leaveName(ctx context.Context, name string, s *nameStanding, back string) error {
	next := ""
	if s.next != nil {
		next = s.claim.Next
	}
	switch {
	case back != "":
		return p.writeClaim(ctx, name, messages.NameClaim{Job: back, Next: next}, s.revision)
	case next != "":
		return p.writeClaim(ctx, name, messages.NameClaim{Job: next}, s.revision)
	}
	return p.names.Delete(ctx, name, s.revision)
}
