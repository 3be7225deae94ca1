package placement

import (
	"fmt"
	"hash/fnv"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// report takes in what a worker said. It counts only when node and attempt are
// the record's (or its successor's) and the sequence is new; what comes from
// another attempt changes nothing but the history and the debts.
func (s *step) report(o messages.Outcome) bool {
	r := s.rec
	paid := s.pay(&o)
	switch {
	case r.State.Ended():
		own := o.Node == r.Node && o.Attempt == r.Attempt
		return !own && s.stray(&o) || paid
	case s.ahead(&o):
		return true
	case held(r) && o.Node == r.Node && o.Attempt == r.Attempt:
		return s.current(&o) || paid
	case r.Successor != nil && o.Node == r.Successor.Node && o.Attempt == r.Successor.Attempt:
		return s.heir(&o) || paid
	}
	changed := s.late(&o) || s.stray(&o) || paid
	if paid && r.State == messages.StatePending {
		s.place("")
	}
	return changed
}

// current takes in what the current attempt says.
func (s *step) current(o *messages.Outcome) bool {
	r := s.rec
	if r.State == messages.StateCancelling && (o.Status == messages.StatusRevoked || o.Status == messages.StatusRejected) {
		return s.revokeAnswered(o)
	}
	if unanswered(o) {
		return false
	}
	if last := r.Outcome; last != nil && last.Attempt == o.Attempt && o.Seq <= last.Seq {
		return false
	}
	s.counts(o)
	if forgotten(o) {
		s.owe(r.Node, r.Attempt, false) // what that journal knew of may still run
	}
	switch {
	case r.State == messages.StateCancelling:
		return s.cancelled(o)
	case !o.Status.Ends():
		s.up(o)
	case o.Status == messages.StatusCompleted:
		s.started()
		s.end(messages.StateCompleted, "")
	case o.Status == messages.StatusRevoked:
		s.end(messages.StateCancelled, "revoked on "+o.Node)
	case r.Successor != nil:
		if o.Status == messages.StatusRouteToPeer {
			s.noteRefusal(o)
		}
		s.succeed()
	case o.Status == messages.StatusRouteToPeer:
		s.refused(o)
	case o.Status == messages.StatusFailed:
		s.started()
		s.failed(o)
	case o.Status == messages.StatusInterrupted:
		s.started()
		s.interrupted(o)
	case forgotten(o) && !s.mayGoOn():
		s.end(messages.StateLost, reasonOf(o))
	case o.Status == messages.StatusRejected:
		s.failed(o)
	}
	return true
}

// counts keeps an outcome as the last that counted; one that ends the attempt
// is remembered.
func (s *step) counts(o *messages.Outcome) {
	o.JobBody, o.Fingerprint = nil, "" // the record has them
	s.rec.Outcome = o
	if o.Status.Ends() {
		s.remember(o.Node, string(o.Status), codeOf(o), reasonOf(o))
	}
}

// up notes that the attempt is accepted, or a service running, healthy or not.
func (s *step) up(o *messages.Outcome) {
	r := s.rec
	s.started()
	r.State = messages.StateRunning
	healthy := o.Healthy()
	if healthy && !r.Healthy {
		r.HealthySince = s.now
	}
	r.Healthy = healthy
	r.Reason = ""
}

// ahead handles an attempt above every one that was ever handed over: the bus
// has lost writes. What was done is not done again; else a new attempt goes
// above it, and both are revoked.
func (s *step) ahead(o *messages.Outcome) bool {
	r := s.rec
	if o.Attempt >= mostAttempts || o.Status == messages.StatusRejected || o.Status == messages.StatusRevoked {
		return false
	}
	if o.Attempt <= r.LastAttempt() && !s.aboveCurrent(o) {
		return false
	}
	s.rememberOf(o.Node, o.Attempt, "ahead", "", "an attempt above the record's: the bus has lost writes")
	if held(r) {
		s.owe(r.Node, r.Attempt, false)
		r.NotBefore = time.Time{} // of the successor
	}
	s.dropSuccessor()
	if s.doneForGood(o) {
		o.JobBody = nil
		r.Node, r.Attempt, r.Highest, r.Outcome = o.Node, o.Attempt, 0, o
		r.Journal = ""
		s.end(messages.State(o.Status), reasonOf(o))
		return true
	}
	s.owe(o.Node, o.Attempt, false)
	r.Highest = max(r.Highest, o.Attempt)
	if r.State == messages.StateCancelling {
		s.end(s.ending(), r.Reason)
		return true
	}
	s.pend("the bus has lost writes; the job is begun anew", r.NotBefore)
	s.place("")
	return true
}

// aboveCurrent tells whether an attempt lives on the node of the current one and
// above it. The record gave that node none: a revoke of it would be one of the
// current attempt too.
func (s *step) aboveCurrent(o *messages.Outcome) bool {
	r := s.rec
	return !o.Status.Ends() && held(r) && o.Node == r.Node && o.Attempt > r.Attempt && !s.settled(o.Node, o.Attempt)
}

// mostAttempts is where a number is no attempt but nonsense.
const mostAttempts = 1 << 53

// doneForGood tells whether an outcome is the end of a job that may not be done
// twice, whatever the record thinks.
func (s *step) doneForGood(o *messages.Outcome) bool {
	if isService(s.rec) || s.rec.Job.Policy.Idempotent {
		return false
	}
	return o.Status == messages.StatusCompleted || o.Status == messages.StatusFailed || o.Status == messages.StatusInterrupted
}

// unanswered tells whether a rejection says nothing about the attempt: the
// worker could not look just now, and may have accepted it before. The same
// attempt is sent again. Another journal, however, has not.
func unanswered(o *messages.Outcome) bool {
	return o.Status == messages.StatusRejected && o.Error != nil && o.Error.Retryable && !forgotten(o)
}

// forgotten tells whether the node answers with another journal than the one
// that the attempt was placed with.
func forgotten(o *messages.Outcome) bool {
	return o.Status == messages.StatusRejected && o.Error != nil && o.Error.Code == messages.CodeWrongIncarnation
}

// latePrefix marks outcomes in the history that came too late to count.
const latePrefix = "late_"

// late notes the end of an old attempt, once; the copy of one that has counted
// is no news. A refusal comes as a reply and by the stream.
func (s *step) late(o *messages.Outcome) bool {
	if !o.Status.Ends() || unanswered(o) || forgotten(o) {
		return false
	}
	event := latePrefix + string(o.Status)
	for _, h := range s.rec.History {
		if h.Node == o.Node && h.Attempt == o.Attempt && (h.Event == event || h.Event == string(o.Status)) {
			return false
		}
	}
	s.rememberOf(o.Node, o.Attempt, event, "", reasonOf(o))
	return true
}

// started counts the attempt as a start, the first time it is known to be one.
func (s *step) started() {
	if s.rec.State == messages.StateAssigned {
		s.rec.Starts++
		s.settle()
	}
}

// refused learns from a refusal and asks the next node.
func (s *step) refused(o *messages.Outcome) {
	r := s.rec
	route := s.noteRefusal(o)
	if r.State == messages.StateRunning {
		r.Starts = max(0, r.Starts-1) // it was accepted, and never started
		s.unsettle(o.Attempt)
	}
	if r.Job.Policy.Reroute == messages.RerouteNever || !r.Job.Op.Places() {
		s.end(messages.StateFailed, "refused by "+o.Node+": "+route.Reason)
		return
	}
	s.pend(route.Reason, time.Time{})
	if dropped := r.Job.RefusedDropped; dropped > 0 {
		// Refusals have been forgotten for want of room, so the nodes that gave
		// them may be asked again; a big fleet that refuses is asked at a pace.
		r.NotBefore = s.now.Add(passingBackoff(dropped))
	}
	s.place("")
}

// noteRefusal keeps what a refusal says for every later placement.
func (s *step) noteRefusal(o *messages.Outcome) *messages.RouteToPeer {
	route := o.Route
	if route == nil {
		route = &messages.RouteToPeer{Code: messages.RefusePolicy, Reason: "no reason given"}
	}
	s.tell(messages.EventRefused, fmt.Sprintf("%s: %s", o.Node, route.Reason))
	s.rec.Job.Refuse(messages.Refusal{
		Node: o.Node, Attempt: o.Attempt, Code: route.Code, Reason: route.Reason, At: s.now,
	})
	s.learn(route)
	return route
}

// failed ends the job, or lets it be tried again when the failure may pass.
func (s *step) failed(o *messages.Outcome) {
	exited := o.Result != nil && o.Result.ExitCode != nil && *o.Result.ExitCode != 0
	if o.Error != nil && o.Error.Retryable || exited && s.rec.Job.Policy.RetryExit {
		s.retry(o)
		return
	}
	s.end(messages.StateFailed, reasonOf(o))
}

// interrupted ends the job, unless it may be begun anew.
func (s *step) interrupted(o *messages.Outcome) {
	policy := s.rec.Job.Policy
	if policy.Idempotent || isService(s.rec) || policy.OnNodeLoss == messages.LossReschedule {
		s.retry(o)
		return
	}
	s.end(messages.StateInterrupted, reasonOf(o))
}

// retry lets the job be placed again after a backoff, while it has starts left.
func (s *step) retry(o *messages.Outcome) {
	r := s.rec
	reason := reasonOf(o)
	s.forgiveStarts()
	if r.Starts >= r.Job.Policy.StartLimit() {
		s.end(messages.StateDead, s.usedUp(reason))
		return
	}
	s.pend(reason, s.now.Add(backoff(&r.Job, r.Starts)))
}

// healthyEnough is how long a service must have been healthy for its earlier
// starts not to count any more.
const healthyEnough = 10 * time.Minute

// forgiveStarts counts the starts of a service that was well for long anew.
func (s *step) forgiveStarts() {
	r := s.rec
	if isService(r) && r.Healthy && s.now.Sub(r.HealthySince) >= healthyEnough {
		r.Starts = 0
	}
}

// revokeAnswered takes in the answer to a revoke. It counts whatever its
// sequence: a journal that has lost the attempt begins its count anew. A
// rejection that may pass proves nothing, and the revoke stays owed.
func (s *step) revokeAnswered(o *messages.Outcome) bool {
	if o.Status == messages.StatusRejected && o.Error != nil && o.Error.Retryable {
		return false
	}
	s.counts(o)
	return s.cancelled(o)
}

// cancelled ends a job that is being cancelled, once its node has let go of it.
func (s *step) cancelled(o *messages.Outcome) bool {
	switch {
	case !o.Status.Ends():
	case o.Status == messages.StatusCompleted:
		s.end(messages.StateCompleted, "it was done before the cancel arrived")
	default:
		s.end(s.ending(), s.rec.Reason)
	}
	return true
}

// Defaults of Policy.Backoff.
const (
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
)

// backoff doubles from the policy's minimum to its maximum with every start,
// less up to a quarter that differs from job to job and start to start.
func backoff(job *messages.Job, starts int) time.Duration {
	lo, hi := job.Policy.Backoff.Min.Std(), job.Policy.Backoff.Max.Std()
	if lo <= 0 {
		lo = minBackoff
	}
	if hi <= 0 {
		hi = max(lo, maxBackoff)
	}
	d := hi
	if shift := max(starts-1, 0); shift < 32 && lo<<shift < hi && lo<<shift > 0 {
		d = lo << shift
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%d", job.ID, starts)
	jitter := float64(mix(h.Sum64())>>11) / (1 << 53)
	return d - time.Duration(jitter*float64(d)/4)
}

// reasonOf is an outcome's reason, for people.
func reasonOf(o *messages.Outcome) string {
	switch {
	case o.Error != nil && o.Error.Field != "":
		return o.Error.Field + ": " + o.Error.Message
	case o.Error != nil:
		return o.Error.Message
	case o.Route != nil:
		return o.Route.Reason
	case o.Result != nil && o.Result.ExitCode != nil:
		said := fmt.Sprintf("the container ended with exit code %d (%s)", *o.Result.ExitCode, o.Result.ExitReason)
		if n := o.Result.Restarts; n > 0 {
			said += fmt.Sprintf(", after %d restarts on %s", n, o.Node)
		}
		return said
	}
	return ""
}

func codeOf(o *messages.Outcome) string {
	switch {
	case o.Error != nil:
		return string(o.Error.Code)
	case o.Route != nil:
		return string(o.Route.Code)
	}
	return ""
}
