package placement

import (
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// reported is what the page says of an outcome, in its order.
func (p *page) reported(o messages.Outcome) {
	if p.r == nil {
		p.adopted(o)
		return
	}
	paid := p.pay(o)
	switch {
	case p.r.State.Ended():
		own := o.Node == p.r.Node && o.Attempt == p.r.Attempt
		if !o.Status.Ends() && !own && o.Attempt > 0 && o.Attempt < nonsense && !p.settled(o.Node, o.Attempt) && !p.owed(o.Node, o.Attempt) {
			p.rule("2: alive after the end")
			p.owe(o.Node, o.Attempt)
		}
	case p.held() && o.Node == p.r.Node && o.Attempt > p.r.Attempt && o.Attempt <= p.r.LastAttempt() && !o.Status.Ends() && !p.settled(o.Node, o.Attempt):
		p.rule("3: alive above the current one on its node")
		p.lostWrites(o)
	case o.Attempt > p.r.LastAttempt() && o.Attempt < nonsense && o.Status != messages.StatusRejected && o.Status != messages.StatusRevoked:
		p.lostWrites(o)
	case p.isCurrent(o.Node, o.Attempt):
		p.current(o)
	case p.isSuccessor(o.Node, o.Attempt):
		p.successor(o)
	case again(&o) || forgot(&o): // says nothing of the attempt
	case o.Status.Ends():
		late := "late_" + string(o.Status)
		if !p.noted(o.Node, o.Attempt, string(o.Status)) && !p.noted(o.Node, o.Attempt, late) {
			p.rule("6: late")
			p.remember(o.Node, o.Attempt, late)
		}
	case o.Attempt > 0 && o.Attempt < nonsense && !p.settled(o.Node, o.Attempt) && !p.owed(o.Node, o.Attempt):
		p.rule("6: alive")
		p.owe(o.Node, o.Attempt)
	}
	if paid && p.r.State == messages.StatePending {
		p.rule("1: waited for that")
		p.place("")
	}
}

// nonsense is where a number is no attempt any more.
const nonsense = 1 << 53

// adopted is of a direct command, whose job no placer has seen.
func (p *page) adopted(o messages.Outcome) {
	if o.JobBody == nil || o.JobBody.Op == messages.OpRevoke || o.Attempt < 1 || o.Attempt >= 1<<53 {
		return
	}
	p.rule("adopted")
	if again(&o) {
		return
	}
	p.begin(*o.JobBody, o.Fingerprint, 0)
	p.r.State, p.r.Node, p.r.Attempt = messages.StateAssigned, o.Node, o.Attempt
	if n := p.peers.Get(o.Node); n != nil {
		p.r.Journal = n.Journal()
	}
	p.current(o)
	if NeedsName(&p.r.Job) && p.held() {
		p.ask(Claim{})
	}
}

func (p *page) kept(o messages.Outcome) *messages.Outcome {
	o.JobBody, o.Fingerprint = nil, ""
	return &o
}

func (p *page) noted(node string, attempt uint64, event string) bool {
	return slices.ContainsFunc(p.r.History, func(h messages.History) bool {
		return h.Node == node && h.Attempt == attempt && h.Event == event
	})
}

func (p *page) pay(o messages.Outcome) bool {
	if o.Status != messages.StatusRevoked {
		return false
	}
	for i, f := range p.r.Fences {
		if f.Node == o.Node && f.Attempt <= o.Attempt {
			p.rule("1: pays")
			p.r.Fences = slices.Delete(p.r.Fences, i, i+1)
			p.remember(f.Node, f.Attempt, "revoked")
			return true
		}
	}
	return false
}

// lostWrites is the third rule: an attempt above the highest.
func (p *page) lostWrites(o messages.Outcome) {
	p.r.Highest = max(p.r.Highest, o.Attempt)
	cancelling, node := p.r.State == messages.StateCancelling, p.r.Node
	if p.held() {
		p.leave()
	}
	p.dropSuccessor()
	if done, ok := doneStates[o.Status]; ok && !p.service() && !p.twice() {
		p.rule("3: done is done")
		p.r.Node, p.r.Attempt, p.r.Highest = o.Node, o.Attempt, 0
		p.r.Outcome = p.kept(o)
		p.remember(o.Node, o.Attempt, string(o.Status))
		p.end(done)
		return
	}
	p.owe(o.Node, o.Attempt)
	if cancelling {
		p.rule("3: ends a cancel")
		p.r.Node = node
		p.end(p.r.Ending)
		return
	}
	p.rule("3: above")
	p.place("")
}

var doneStates = map[messages.Status]messages.State{
	messages.StatusCompleted:   messages.StateCompleted,
	messages.StatusFailed:      messages.StateFailed,
	messages.StatusInterrupted: messages.StateInterrupted,
}

// again tells whether a rejection says nothing but "send it again".
func again(o *messages.Outcome) bool {
	return o.Status == messages.StatusRejected && o.Error.Retryable && o.Error.Code != messages.CodeWrongIncarnation
}

// forgot tells whether the node has another journal than it had.
func forgot(o *messages.Outcome) bool {
	return o.Status == messages.StatusRejected && o.Error.Code == messages.CodeWrongIncarnation
}

// current is the fourth rule.
func (p *page) current(o messages.Outcome) {
	if p.r.State == messages.StateCancelling {
		p.cancelling(o)
		return
	}
	if again(&o) {
		p.rule("4: says nothing")
		return
	}
	if p.repeated(o) {
		return
	}
	p.r.Outcome = p.kept(o)
	switch o.Status {
	case messages.StatusAccepted, messages.StatusRunning:
		p.alive(o.Status == messages.StatusRunning && !sick(o))
		return
	}
	p.remember(o.Node, o.Attempt, string(o.Status))
	if forgot(&o) {
		p.rule("4: another journal")
		defer p.owe(o.Node, o.Attempt)
	}
	if _, began := doneStates[o.Status]; began && p.r.State == messages.StateAssigned {
		p.rule("4: a start that was not heard")
		p.starts()
	}
	switch {
	case o.Status == messages.StatusRouteToPeer:
		p.refused(o)
	case o.Status == messages.StatusCompleted:
		p.rule("4: completed")
		p.end(messages.StateCompleted)
		p.dropSuccessor()
	case o.Status == messages.StatusRevoked:
		p.rule("4: revoked")
		p.end(messages.StateCancelled)
		p.dropSuccessor()
	case p.r.Successor != nil:
		p.rule("4: the successor takes over")
		p.promote()
	default:
		p.failed(o)
	}
}

func (p *page) repeated(o messages.Outcome) bool {
	last := p.r.Outcome
	if last == nil || last.Node != o.Node || last.Attempt != o.Attempt || o.Seq > last.Seq {
		return false
	}
	p.rule("4: a repeat")
	return true
}

func (p *page) cancelling(o messages.Outcome) {
	switch {
	case o.Status == messages.StatusRejected && o.Error.Retryable:
		return
	case o.Status != messages.StatusRevoked && o.Status != messages.StatusRejected && p.repeated(o):
		return
	case !o.Status.Ends():
		p.r.Outcome = p.kept(o)
		return
	case o.Status == messages.StatusCompleted:
		p.rule("4: completed before it was cancelled")
		p.end(messages.StateCompleted)
	default:
		p.rule("4: ends as ending says")
		p.end(p.r.Ending)
	}
	p.r.Outcome = p.kept(o)
	p.remember(o.Node, o.Attempt, string(o.Status))
}

func (p *page) alive(healthy bool) {
	if p.r.State == messages.StateAssigned {
		p.rule("4: a start")
		p.r.State = messages.StateRunning
		p.starts()
	}
	if healthy && !p.r.Healthy {
		p.rule("4: healthy")
		p.r.HealthySince = p.now
	}
	if !healthy && p.r.Healthy {
		p.rule("4: not healthy")
	}
	p.r.Healthy = healthy
}

// sick tells whether an outcome says that the service is not healthy.
func sick(o messages.Outcome) bool {
	return o.Result != nil && o.Result.Healthy != nil && !*o.Result.Healthy
}

func (p *page) refused(o messages.Outcome) {
	p.r.Job.Refuse(messages.Refusal{Node: o.Node, Attempt: o.Attempt, Code: o.Route.Code, At: p.now})
	p.learn(o.Route)
	if p.r.Successor != nil {
		p.rule("4: refused, and the successor takes over")
		p.promote()
		return
	}
	if p.r.State == messages.StateRunning {
		p.rule("4: the start is taken back")
		p.r.Starts = max(0, p.r.Starts-1)
		if p.r.Home.Attempt == p.r.Attempt {
			p.rule("4: its home is taken back")
			p.r.Home = messages.Home{}
		}
	}
	switch {
	case p.r.Job.Policy.Reroute == messages.RerouteNever || !p.r.Job.Op.Places():
		p.rule("4: refused for good")
		p.end(messages.StateFailed)
	default:
		p.rule("4: rerouted")
		p.r.NotBefore = time.Time{}
		p.place(o.Node)
	}
}

// learn keeps those of the known platforms that the refusal named, or what it
// named if that is none of them.
func (p *page) learn(said *messages.RouteToPeer) {
	if said.Code != messages.RefusePlatform && said.Code != messages.RefuseOSVersion || len(said.Platforms) == 0 {
		return
	}
	var both []messages.Platform
	for _, known := range p.r.Platforms {
		if slices.Contains(said.Platforms, known) {
			both = append(both, known)
		}
	}
	if len(both) == 0 {
		both = slices.Clone(said.Platforms)
	}
	p.r.Platforms = both
}

// mayBeCut tells whether the job may be begun anew although it had begun.
func (p *page) mayBeCut() bool {
	return p.twice() || p.service() || p.r.Job.Policy.OnNodeLoss == messages.LossReschedule
}

// mayPass tells whether a failure is worth another try.
func (p *page) mayPass(o *messages.Outcome) bool {
	switch o.Status {
	case messages.StatusInterrupted:
		return p.mayBeCut()
	case messages.StatusFailed, messages.StatusRejected:
		exited := o.Result != nil && o.Result.ExitCode != nil && *o.Result.ExitCode != 0
		return o.Error != nil && o.Error.Retryable || exited && p.r.Job.Policy.RetryExit
	}
	return false
}

func (p *page) failed(o messages.Outcome) {
	if p.mayPass(&o) {
		p.forgetStarts()
	}
	switch {
	case !p.mayPass(&o) && o.Status == messages.StatusInterrupted:
		p.rule("4: interrupted")
		p.end(messages.StateInterrupted)
	case forgot(&o) && p.r.State == messages.StateRunning && !p.mayBeCut():
		p.rule("4: another journal than that of a started task")
		p.end(messages.StateLost)
	case !p.mayPass(&o):
		p.rule("4: failed")
		p.end(messages.StateFailed)
	case p.usedUp():
		p.rule("4: the starts are used up")
		p.end(messages.StateDead)
	default:
		p.rule("4: again after a backoff")
		p.r.State, p.r.Node, p.r.Healthy = messages.StatePending, "", false
		p.wait()
	}
}

func (p *page) forgetStarts() {
	if p.service() && p.r.Healthy && p.now.Sub(p.r.HealthySince) >= 10*time.Minute {
		p.rule("4: healthy for long")
		p.r.Starts = 0
	}
}

// successor is the fifth rule.
func (p *page) successor(o messages.Outcome) {
	switch o.Status {
	case messages.StatusAccepted:
		p.rule("5: accepted")
		p.r.Successor.Accepted = true
	case messages.StatusRunning:
		if sick(o) {
			p.rule("5: runs, not healthy")
			p.r.Successor.Accepted = true
			return
		}
		p.rule("5: promoted")
		old := messages.Fence{Node: p.r.Node, Attempt: p.r.Attempt}
		since := p.r.HealthySince
		if !p.r.Healthy {
			since = p.now
		}
		p.promote()
		p.owe(old.Node, old.Attempt)
		p.r.State, p.r.Healthy, p.r.HealthySince = messages.StateRunning, true, since
		p.r.Outcome = p.kept(o)
	default:
		if again(&o) {
			return
		}
		p.rule("5: dropped")
		p.r.Successor = nil
		if forgot(&o) {
			p.rule("5: another journal")
			p.owe(o.Node, o.Attempt)
		}
		p.remember(o.Node, o.Attempt, string(o.Status))
		p.wait()
		if o.Status == messages.StatusRouteToPeer {
			p.r.Job.Refuse(messages.Refusal{Node: o.Node, Attempt: o.Attempt, Code: o.Route.Code, At: p.now})
			p.learn(o.Route)
		}
	}
}
