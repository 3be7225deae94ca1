package placement

import (
	"fmt"
	"slices"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A job with `args.replace` takes the name of its container over from the job that
// holds it. A service does so make-before-break: it is started on another node,
// since a node has one container of a name; when it is healthy the claim passes to
// it by one compare-and-set; from then on its record owes the end of the job that
// it has replaced. If it never is healthy, the one before has never been touched.
//
// Of several that want one name the one that came last gets it.
//
// What may not overlap, and what would find room only where the one before is, is
// started when that has ended. It is not asked to before some node would take its
// replacement.

// CodeReplaces rules out the node on which the job is that this one replaces.
const CodeReplaces = "replaces"

// mayOverlap tells whether a job may be up while the one that it replaces still
// is. A task or a created container is never up, and what has volumes takes those
// over.
func mayOverlap(j *messages.Job) bool {
	return j.Op == messages.OpRun && j.EffectiveKind() == messages.KindService &&
		!OneAtATime(j) && !j.Spec.HasLocalVolumes()
}

// besides tells whether a job is, or is to be, beside the one it replaces.
func besides(r *messages.Record) bool {
	return r.Replaces != nil && !r.Named && mayOverlap(&r.Job)
}

// owesEnd tells whether the job has taken its name over from one that has yet to
// end.
func owesEnd(r *messages.Record) bool { return r.Replaces != nil && r.Named }

// takesOver begins to take a name over from the live job that holds it.
func (s *step) takesOver(ev Claimed) bool {
	r, before := s.rec, s.rec.Reason
	if ev.Other != nil && laterThan(ev.Other, r) {
		s.end(messages.StateCancelled, fmt.Sprintf("replaced by %s, which came later", ev.Other.Job.ID))
		return true
	}
	if ev.Next != r.Job.ID {
		s.effects = append(s.effects, Supersede{Job: ev.Next, Life: lifeOf(ev.Other), Next: true})
		return s.waitsFor(fmt.Sprintf("%s, and job %s is about to take it over: that ends first", nameHeld(&r.Job, ev.Holder), ev.Next))
	}
	changed := s.replaces(ev)
	if s.now.Before(r.NotBefore) {
		return changed
	}
	if mayOverlap(&r.Job) {
		if s.place(""); r.State != messages.StatePending {
			return true
		}
	}
	if s.wouldTake() {
		s.effects = append(s.effects, Supersede{Job: ev.Holder, Life: r.Replaces.Life})
		r.Reason = before
		return s.waitsFor(nameHeld(&r.Job, ev.Holder)+", which ends first") || changed
	}
	r.Reason = messages.TruncateReason(fmt.Sprintf("%s, which goes on meanwhile: %s", nameHeld(&r.Job, ev.Holder), s.explained()))
	return changed || s.worthWriting(before)
}

// waitsFor gives a waiting job its reason.
func (s *step) waitsFor(reason string) (changed bool) {
	changed = s.rec.Reason != reason
	s.rec.Reason = reason
	return changed
}

// explained is why no node will do, the one where the holder is left out of it.
func (s *step) explained() string { return explainFor(s.rec, s.peers, s.now).Reason }

// replaces notes which job the name is taken over from, where that is, and that
// its volumes are there which this job names too.
func (s *step) replaces(ev Claimed) (changed bool) {
	r := s.rec
	was, home := r.Replaces, r.Home
	now := messages.Replaced{Job: ev.Holder}
	if held := ev.Other; held != nil {
		now.Node, now.Life = held.Node, held.Retries
		if r.Home.Node == "" && shareVolumes(&r.Job, &held.Job) {
			r.Home.Node = held.Home.Node
		}
	}
	r.Replaces = &now
	return was == nil || *was != now || home != r.Home
}

// laterThan tells whether of two jobs that take a name over a came into intake
// after b. One that did not come that way, or was retried since, is no later one.
func laterThan(a, b *messages.Record) bool { return b.Order > 0 && a.Order > b.Order }

// shareVolumes tells whether two jobs name the same volume that is nowhere but on
// its node.
func shareVolumes(a, b *messages.Job) bool {
	if a.Spec == nil || b.Spec == nil || !a.Spec.HasLocalVolumes() || !b.Spec.HasLocalVolumes() {
		return false
	}
	return slices.ContainsFunc(a.Spec.Mounts, func(m messages.Mount) bool {
		return m.Type == messages.MountVolume && slices.ContainsFunc(b.Spec.Mounts, func(o messages.Mount) bool {
			return o.Type == messages.MountVolume && o.Source == m.Source
		})
	})
}

// wouldTake tells whether some node would take the job once the one that it
// replaces has ended.
func (s *step) wouldTake() bool {
	r := *s.rec
	r.Named = true // so that no node is ruled out for the name
	var named [1]messages.Platform
	q := askFor(&r, &named, s.now)
	if choose(&q, s.peers, nil) != nil {
		return true
	}
	n := s.peers.Get(r.Replaces.Node)
	return n != nil && objection(&q, n) == string(messages.RefuseCapacity) && n.Caps.Total.Fits(q.want)
}

// lifeOf is which life of a job its record is of.
func lifeOf(r *messages.Record) int {
	if r == nil {
		return 0
	}
	return r.Retries
}

// superseded takes in that the life of a job that was replaced is over.
func (s *step) superseded(ev Superseded) bool {
	r := s.rec
	if !owesEnd(r) || r.Replaces.Job != ev.Job || ev.Life < r.Replaces.Life {
		return false
	}
	r.Replaces = nil
	return true
}

// replaced ends the job for another one that takes its name over, unless it is
// about another life of it, or it has what it was not to have.
func (s *step) replaced(ev Replaced) bool {
	r := s.rec
	if r.Retries != ev.Life || ev.Next && r.Named {
		return false
	}
	return s.cancel("replaced by " + ev.By)
}
