package placement

import (
	"fmt"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// NeedsHolder tells whether a job works on a container that is there: it goes to
// the node that holds it, when those before it are done, and nowhere else.
func NeedsHolder(j *messages.Job) bool {
	return j.Op.OnContainer() && !j.Op.Places() && j.Op != messages.OpRevoke
}

// unlocated tells whether the job waits to be told where its container is.
func (s *step) unlocated() bool { return NeedsHolder(&s.rec.Job) && s.holder == "" }

// located hands the job over to the node that holds its container. Where that
// cannot be said the job waits, and where it is certain that there is none it
// has failed; but what is to be removed and is nowhere any node may say so.
func (s *step) located(ev Located) bool {
	r := s.rec
	if r.State != messages.StatePending || !NeedsHolder(&r.Job) || s.now.Before(r.NotBefore) {
		return false
	}
	name := r.Job.ContainerName()
	switch {
	case ev.Wait != "": // it changes no more often than what it waits for
		changed := r.Reason != ev.Wait
		r.Reason = messages.TruncateReason(ev.Wait)
		return changed
	case len(ev.Nodes) > 1:
		s.fail(messages.CodeConflict, fmt.Sprintf("%s hold a container %s; name one of them in target", strings.Join(ev.Nodes, " and "), name))
		return true
	case len(ev.Nodes) == 1:
		node := s.peers.Get(ev.Nodes[0])
		if node == nil || node.State != messages.NodeAlive && node.State != messages.NodeDraining {
			return s.waits(fmt.Sprintf("waits until %s, which holds %s, is heard of", ev.Nodes[0], name))
		}
		s.holder = ev.Nodes[0]
	case len(ev.Silent) > 0:
		return s.waits(fmt.Sprintf("looks for %s: no node that answers holds it; without an answer: %s", name, nameSome(ev.Silent)))
	case r.Job.Op != messages.OpRemove:
		s.fail(messages.CodeNotFound, fmt.Sprintf("no node that can be heard holds a container %s", name))
		return true
	default:
		first, ok := Choose(&r.Job, nil, s.peers, s.now)
		if !ok {
			return s.waits("waits for a node that could say that there is no " + name)
		}
		s.holder = first
	}
	s.place("")
	return true
}

// waits says why the job waits; it tells whether that is to be written.
func (s *step) waits(reason string) bool {
	before := s.rec.Reason
	s.rec.Reason = messages.TruncateReason(reason)
	return s.worthWriting(before)
}

// fail ends a job that no node was asked to do, with an outcome of the placers'
// own.
func (s *step) fail(code messages.Code, why string) {
	r := s.rec
	r.Outcome = &messages.Outcome{
		V: messages.Version, Job: r.Job.ID, Op: r.Job.Op, Node: messages.PlacerNode, Seq: 1, At: s.now,
		Status: messages.StatusRejected, Error: &messages.Error{Code: code, Field: "container", Message: messages.TruncateReason(why)},
	}
	s.end(messages.StateFailed, why)
}
