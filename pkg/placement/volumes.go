package placement

import (
	"fmt"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// CodeVolumes rules out every node but the one that has the job's volumes.
const CodeVolumes = "volumes"

// settle ties a job whose volumes are nowhere else to the node that has begun to
// fill them.
func (s *step) settle() {
	if r := s.rec; r.Job.Op.Places() && r.Job.Spec.HasLocalVolumes() && r.Home.Node != r.Node {
		r.Home = messages.Home{Node: r.Node, Attempt: r.Attempt}
	}
}

// unsettle takes that back for an attempt that was never started.
func (s *step) unsettle(attempt uint64) {
	if s.rec.Home.Attempt == attempt {
		s.rec.Home = messages.Home{}
	}
}

// carries tells whether the job's volumes go with it, by their copies: they are
// whole only when the attempt before has let go of them.
func carries(j *messages.Job) bool { return j.Op.Places() && j.Spec.HasCopies() }

// OneAtATime tells whether an attempt may begin only when the one before it has
// let go, or is not waited for any more.
func OneAtATime(j *messages.Job) bool { return Stops(j) || carries(j) }

func whyOneAtATime(j *messages.Job) string {
	if Stops(j) {
		return "with on_partition: stop the job never runs twice at once"
	}
	return "what its volumes hold is in their copies only then"
}

// over tells whether nothing is waited for of the lost node: its lease is over,
// or the job has none and goes on with what there is.
func (ev NodeLost) over(j *messages.Job) bool {
	return ev.LeaseOver || carries(j) && !Stops(j) && ev.Journal == ""
}

// staysHome tells whether a job waits for the node that has its volumes rather
// than begin without them.
func (s *step) staysHome(ev NodeLost) bool {
	r := s.rec
	return r.Home.Node == ev.Node && ev.Journal == "" && !ev.forgotten && r.Job.Policy.OnNodeLoss != messages.LossReschedule
}

// leaveHome unties a job from a lost node, if the job itself says so, or if that
// will not come back.
func (s *step) leaveHome(ev NodeLost) bool {
	r := s.rec
	said := r.Job.Policy.OnNodeLoss == messages.LossReschedule && ev.Journal == "" && (!Stops(&r.Job) || ev.LeaseOver)
	if r.Home.Node != ev.Node || !ev.forgotten && !said {
		return false
	}
	r.Home = messages.Home{}
	s.remember(ev.Node, eventLeftHome, "", "the job begins without what its volumes there hold")
	return true
}

const eventLeftHome = "volumes_left"

// waitsAtHome is the reason of a job that stays on a lost node.
func (s *step) waitsAtHome(ev NodeLost) string {
	return fmt.Sprintf("waits for %s, which has the job's volumes (on_node_loss: reschedule would begin without them): %s", ev.Node, ev.Reason)
}
