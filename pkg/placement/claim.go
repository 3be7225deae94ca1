package placement

import (
	"fmt"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// claimed takes in who holds the name of the job's container.
func (s *step) claimed(ev Claimed) bool {
	r := s.rec
	switch {
	case r.State.Ended() || r.Named || !NeedsName(&r.Job):
		return false
	case ev.Holder == r.Job.ID:
		r.Named = true
		if r.State == messages.StatePending {
			s.place("")
		}
		return true
	case r.State != messages.StatePending:
		return s.intrudes(ev)
	case r.Job.Args.Replace:
		return s.takesOver(ev)
	}
	s.end(messages.StateFailed, nameHeld(&r.Job, ev.Holder))
	return true
}

// intrudes ends a job that a node was given directly under the name of another
// live job: the node could not know, and the one adopted second is revoked.
func (s *step) intrudes(ev Claimed) bool {
	r := s.rec
	switch {
	case r.State == messages.StateCancelling:
		return false
	case r.Job.Args.Replace:
		return mayOverlap(&r.Job) && ev.Next == r.Job.ID && s.replaces(ev)
	}
	s.dropSuccessor()
	r.State, r.Ending = messages.StateCancelling, messages.StateFailed
	r.Reason = messages.TruncateReason(nameHeld(&r.Job, ev.Holder))
	s.remember(r.Node, "cancel", string(messages.CodeAlreadyExists), r.Reason)
	return true
}

func nameHeld(job *messages.Job, holder string) string {
	return fmt.Sprintf("the name %s belongs to job %s", job.ContainerName(), holder)
}
