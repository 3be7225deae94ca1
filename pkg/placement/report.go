package placement

import (
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// report takes in what a worker said. It counts only when node and attempt are
// the record's and the sequence is new; what comes from an older attempt
// changes nothing but the history.
func (s *step) report(o messages.Outcome) bool {
	r := s.rec
	if r.State.Ended() {
		return false
	}
	if o.Node != r.Node || o.Attempt != r.Attempt || r.State == messages.StatePending {
		return s.late(o)
	}
	if r.State == messages.StateCancelling && (o.Status == messages.StatusRevoked || o.Status == messages.StatusRejected) {
		return s.revokeAnswered(o)
	}
	if unanswered(&o) {
		return false
	}
	if last := r.Outcome; last != nil && last.Attempt == o.Attempt && o.Seq <= last.Seq {
		return false
	}
	o.JobBody = nil
	r.Outcome = &o
	if r.State == messages.StateCancelling {
		return s.cancelled(o)
	}
	switch o.Status {
	case messages.StatusAccepted, messages.StatusRunning:
		s.started()
		r.State = messages.StateRunning
		r.Healthy = o.Status == messages.StatusRunning
	case messages.StatusRouteToPeer:
		s.refused(o)
	case messages.StatusCompleted:
		s.started()
		s.end(messages.StateCompleted, "")
	case messages.StatusFailed:
		s.started()
		s.failed(o)
	case messages.StatusInterrupted:
		s.started()
		s.interrupted(o)
	case messages.StatusRejected:
		s.failed(o)
	case messages.StatusRevoked:
		s.end(messages.StateCancelled, "revoked on "+o.Node)
	}
	return true
}

// unanswered tells whether a rejection says nothing about the attempt: the
// worker could not look just now, and may have accepted it before. The same
// attempt is sent again. Another journal, however, has not.
func unanswered(o *messages.Outcome) bool {
	return o.Status == messages.StatusRejected && o.Error != nil && o.Error.Retryable &&
		o.Error.Code != messages.CodeWrongIncarnation
}

// late notes the end of an old attempt, once; the copy of one that has counted
// is no news. A refusal comes as a reply and by the stream.
func (s *step) late(o messages.Outcome) bool {
	if !o.Status.Ends() || o.Attempt >= s.rec.Attempt && o.Node == s.rec.Node {
		return false
	}
	event := "late_" + string(o.Status)
	for _, h := range s.rec.History {
		if h.Node == o.Node && h.Attempt == o.Attempt && (h.Event == event || h.Event == string(o.Status)) {
			return false
		}
	}
	s.rec.Remember(messages.History{At: s.now, Node: o.Node, Attempt: o.Attempt, Event: event, Reason: reasonOf(o)})
	return true
}

// started counts the attempt as a start, the first time it is known to be one.
func (s *step) started() {
	if s.rec.State == messages.StateAssigned {
		s.rec.Starts++
	}
}

// refused learns from a refusal and asks the next node.
func (s *step) refused(o messages.Outcome) {
	route := o.Route
	if route == nil {
		route = &messages.RouteToPeer{Code: messages.RefusePolicy, Reason: "no reason given"}
	}
	s.remember(o.Node, string(o.Status), string(route.Code), route.Reason)
	s.tell(messages.EventRefused, fmt.Sprintf("%s: %s", o.Node, route.Reason))
	s.rec.Job.Refuse(messages.Refusal{
		Node: o.Node, Attempt: o.Attempt, Code: route.Code, Reason: route.Reason, At: s.now,
	})
	s.learn(route)
	if s.rec.State == messages.StateRunning {
		s.rec.Starts = max(0, s.rec.Starts-1) // it was accepted, and never started
	}
	if s.rec.Job.Policy.Reroute == messages.RerouteNever || !s.rec.Job.Op.Places() {
		s.end(messages.StateFailed, "refused by "+o.Node+": "+route.Reason)
		return
	}
	s.rec.Reason = route.Reason
	if dropped := s.rec.Job.RefusedDropped; dropped > 0 {
		// Refusals have been forgotten for want of room, so the nodes that gave
		// them may be asked again; a big fleet that refuses is asked at a pace.
		s.rec.NotBefore = s.now.Add(passingBackoff(dropped))
	}
	s.place("")
}

// mostPlatforms bounds what a record keeps of an image's platforms.
const mostPlatforms = 32

// learn keeps what a refusal says of the platforms that would do, so that they
// limit every later placement. A later refusal narrows what an earlier one
// said; one that contradicts it is the newer word on an image that has moved.
func (s *step) learn(route *messages.RouteToPeer) {
	if route.Code != messages.RefusePlatform && route.Code != messages.RefuseOSVersion {
		return
	}
	said := route.Platforms[:min(len(route.Platforms), mostPlatforms)]
	if len(said) == 0 && (route.RequiredOS != "" || route.RequiredArch != "") {
		said = []messages.Platform{{OS: route.RequiredOS, Arch: route.RequiredArch}}
	}
	if both := narrow(s.rec.Platforms, said); len(both) > 0 {
		said = both
	}
	if len(said) > 0 {
		s.rec.Platforms = said
	}
}

// narrow is what two sets of platforms agree on, each pair in the words of the
// one that says more; none when they share nothing.
func narrow(known, said []messages.Platform) []messages.Platform {
	var both []messages.Platform
	add := func(p messages.Platform) {
		if len(both) < mostPlatforms && !slices.Contains(both, p) {
			both = append(both, p)
		}
	}
	for _, k := range known {
		for _, n := range said {
			switch {
			case says(k, n):
				add(k)
			case says(n, k):
				add(n)
			}
		}
	}
	return both
}

// says tells whether p demands everything that q does.
func says(p, q messages.Platform) bool {
	return (q.OS == "" || p.OS == q.OS) && (q.Arch == "" || p.Arch == q.Arch) &&
		(q.OSVersion == "" || p.OSVersion == q.OSVersion)
}

// failed ends the job, or lets it be tried again when the failure may pass.
func (s *step) failed(o messages.Outcome) {
	reason := reasonOf(o)
	exited := o.Result != nil && o.Result.ExitCode != nil
	retry := o.Error != nil && o.Error.Retryable || exited && s.rec.Job.Policy.RetryExit
	switch {
	case !retry:
		s.end(messages.StateFailed, reason)
	case s.rec.Starts >= s.rec.Job.Policy.StartLimit():
		s.end(messages.StateDead, fmt.Sprintf("started %d times, the most its policy allows; last: %s", s.rec.Starts, reason))
	default:
		s.retry(o, reason)
	}
}

// interrupted ends the job, unless doing it twice does no harm.
func (s *step) interrupted(o messages.Outcome) {
	if s.rec.Job.Policy.Idempotent && s.rec.Starts < s.rec.Job.Policy.StartLimit() {
		s.retry(o, reasonOf(o))
		return
	}
	s.end(messages.StateInterrupted, reasonOf(o))
}

func (s *step) retry(o messages.Outcome, reason string) {
	s.remember(o.Node, string(o.Status), codeOf(o), reason)
	s.rec.State = messages.StatePending
	s.rec.Reason = reason
	s.rec.NotBefore = s.now.Add(backoff(&s.rec.Job, s.rec.Starts))
}

// revokeAnswered takes in the answer to a revoke. It counts whatever its
// sequence: a journal that has lost the attempt begins its count anew. A
// rejection that may pass proves nothing, and the revoke stays owed.
func (s *step) revokeAnswered(o messages.Outcome) bool {
	if o.Status == messages.StatusRejected && o.Error != nil && o.Error.Retryable {
		return false
	}
	o.JobBody = nil
	s.rec.Outcome = &o
	return s.cancelled(o)
}

// cancelled ends a job that is being cancelled, once its node has let go of it.
func (s *step) cancelled(o messages.Outcome) bool {
	if !o.Status.Ends() {
		return true
	}
	if o.Status == messages.StatusCompleted {
		s.end(messages.StateCompleted, "it was done before the cancel arrived")
		return true
	}
	s.end(messages.StateCancelled, s.rec.Reason)
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
func reasonOf(o messages.Outcome) string {
	switch {
	case o.Error != nil && o.Error.Field != "":
		return o.Error.Field + ": " + o.Error.Message
	case o.Error != nil:
		return o.Error.Message
	case o.Route != nil:
		return o.Route.Reason
	case o.Result != nil && o.Result.ExitCode != nil:
		return fmt.Sprintf("the container ended with exit code %d (%s)", *o.Result.ExitCode, o.Result.ExitReason)
	}
	return ""
}

func codeOf(o messages.Outcome) string {
	if o.Error != nil {
		return string(o.Error.Code)
	}
	return ""
}
