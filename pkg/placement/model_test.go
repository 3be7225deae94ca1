package placement

import (
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// page is docs/job-states.md read aloud: one event on one record, rule by rule,
// in the words of the page and without a thought for anything else. Its rules
// about an outcome are in model_report_test.go.
type page struct {
	r     *messages.Record // a copy, to be changed; nil: there is none
	peers peer.Snapshot
	now   time.Time

	// amount is what Next chose where the page names no figure: the length of a
	// backoff, and whether "several in a row" has been reached.
	amount *messages.Record

	asks  []Effect // beside what the record asks for by itself
	rules []string // of the page, that were followed
}

// read is what the page says of the event.
func read(r *messages.Record, ev Event, peers peer.Snapshot, now time.Time, amount *messages.Record) *page {
	p := &page{r: duplicate(r), peers: peers, now: now, amount: amount}
	switch e := ev.(type) {
	case Submitted:
		p.submitted(e)
	case Claimed:
		p.claimed(e)
	case Superseded:
		p.superseded(e)
	case Replaced:
		p.replaced(e)
	case Tick:
		p.tick()
	case Unheard:
		p.unheard(e)
	case Reported:
		p.reported(e.Outcome)
	case NodeLost:
		p.nodeLost(e)
	case NodeForgotten:
		p.nodeForgotten(e.Node)
	case Vacate:
		p.vacate(e.Node)
	case CancelAsked:
		p.cancelAsked(e.Order)
	case RetryAsked:
		p.retry(e)
	}
	return p
}

// duplicate shares nothing with the record that the page writes to.
func duplicate(r *messages.Record) *messages.Record {
	if r == nil {
		return nil
	}
	c := *r
	c.Job.Refused = slices.Clone(r.Job.Refused)
	c.Platforms, c.Fences, c.History = slices.Clone(r.Platforms), slices.Clone(r.Fences), slices.Clone(r.History)
	if r.Successor != nil {
		s := *r.Successor
		c.Successor = &s
	}
	if r.Replaces != nil {
		s := *r.Replaces
		c.Replaces = &s
	}
	return &c
}

func (p *page) rule(name string)   { p.rules = append(p.rules, name) }
func (p *page) ask(effects Effect) { p.asks = append(p.asks, effects) }

func (p *page) rejects(code messages.Code, field string) {
	p.ask(Reject{messages.Error{Code: code, Field: field}})
}

// The words of the page.

// held tells whether a node holds the job: it has a current attempt.
func (p *page) held() bool {
	switch p.r.State {
	case messages.StateAssigned, messages.StateRunning, messages.StateCancelling:
		return true
	}
	return false
}

func (p *page) isCurrent(node string, attempt uint64) bool {
	return p.held() && p.r.Node == node && p.r.Attempt == attempt
}

func (p *page) isSuccessor(node string, attempt uint64) bool {
	return p.r.Successor != nil && p.r.Successor.Node == node && p.r.Successor.Attempt == attempt
}

func (p *page) service() bool { return p.r.Job.Kind == messages.KindService }
func (p *page) twice() bool   { return p.r.Job.Policy.Idempotent }
func (p *page) stops() bool   { return p.r.Job.Policy.OnPartition == messages.PartitionStop }

// carries tells whether the job has a volume with a copy, local whether it has one
// without.
func (p *page) carries() bool { return p.volume(func(m messages.Mount) bool { return m.Copy != "" }) }
func (p *page) local() bool   { return p.volume(func(m messages.Mount) bool { return m.Copy == "" }) }

// overlaps tells whether the job may be up beside the one that it replaces.
func (p *page) overlaps() bool {
	return p.service() && p.r.Job.Op == messages.OpRun && !p.stops() && !p.carries() && !p.local()
}

func (p *page) volume(is func(messages.Mount) bool) bool {
	return p.r.Job.Spec != nil && slices.ContainsFunc(p.r.Job.Spec.Mounts, func(m messages.Mount) bool {
		return m.Type == messages.MountVolume && is(m)
	})
}

// starts counts a start. Local volumes are on that node from then on.
func (p *page) starts() {
	p.r.Starts++
	if p.local() && p.r.Home.Node != p.r.Node {
		p.rule("its home")
		p.r.Home = messages.Home{Node: p.r.Node, Attempt: p.r.Attempt}
	}
}

func (p *page) deadlineOver() bool {
	d := p.r.Job.Policy.Deadline.Std()
	met := p.service() && !p.r.HealthySince.IsZero()
	return d > 0 && !met && p.now.After(p.r.Created.Add(d))
}

func (p *page) usedUp() bool {
	limit := p.r.Job.Policy.MaxAttempts
	if limit == 0 {
		limit = 5
	}
	return p.r.Starts >= limit
}

// owe puts a revoke into the fences.
func (p *page) owe(node string, attempt uint64) {
	if p.owed(node, attempt) || p.held() && p.r.Node == node && attempt >= p.r.Attempt {
		return
	}
	p.r.Fences = slices.DeleteFunc(p.r.Fences, func(f messages.Fence) bool { return f.Node == node })
	p.r.Fences = append(p.r.Fences, messages.Fence{Node: node, Attempt: attempt})
	p.r.Highest = max(p.r.Highest, attempt)
}

func (p *page) owed(node string, attempt uint64) bool {
	return slices.ContainsFunc(p.r.Fences, func(f messages.Fence) bool { return f.Node == node && f.Attempt >= attempt })
}

// leave takes the current attempt away and owes it a revoke.
func (p *page) leave() {
	node, attempt := p.r.Node, p.r.Attempt
	p.r.State, p.r.Node, p.r.Healthy, p.r.NotBefore = messages.StatePending, "", false, time.Time{}
	p.owe(node, attempt)
}

func (p *page) dropSuccessor() {
	if s := p.r.Successor; s != nil {
		p.r.Successor = nil
		p.owe(s.Node, s.Attempt)
	}
}

// promote makes the successor the current attempt; the old one owes nothing.
func (p *page) promote() {
	s := p.r.Successor
	p.r.Successor, p.r.NotBefore = nil, time.Time{}
	p.r.Node, p.r.Attempt, p.r.Journal, p.r.Healthy = s.Node, s.Attempt, s.Journal, false
	p.r.State = messages.StateAssigned
	if s.Accepted {
		p.r.State = messages.StateRunning
	}
}

func (p *page) end(state messages.State) {
	p.dropSuccessor()
	p.r.State, p.r.Healthy, p.r.NotBefore = state, false, time.Time{}
}

func (p *page) settled(node string, attempt uint64) bool {
	return slices.ContainsFunc(p.r.History, func(h messages.History) bool {
		return h.Node == node && h.Attempt == attempt && endWords[h.Event]
	})
}

// endWords are what the history calls the end of an attempt.
var endWords = func() map[string]bool {
	words := map[string]bool{}
	for _, s := range messages.Statuses() {
		if s != messages.StatusAccepted && s != messages.StatusRunning {
			words[string(s)], words["late_"+string(s)] = true, true
		}
	}
	return words
}()

func (p *page) remember(node string, attempt uint64, event string) {
	p.r.Remember(messages.History{At: p.now, Node: node, Attempt: attempt, Event: event})
}

// place chooses a node and hands over, or leaves the job pending. The node
// without is not one of those there are.
func (p *page) place(without string) {
	p.r.State, p.r.Node, p.r.Healthy = messages.StatePending, "", false
	switch {
	case p.deadlineOver():
		p.rule("place: the deadline is over")
		p.end(messages.StateDead)
	case p.usedUp():
		p.rule("place: the starts are used up")
		p.end(messages.StateDead)
	case p.now.Before(p.r.NotBefore):
		p.rule("place: not before")
	case (p.stops() || p.carries()) && slices.ContainsFunc(p.r.Fences, func(f messages.Fence) bool { return !f.Expired }):
		p.rule("place: a fence is owed")
	case NeedsName(&p.r.Job) && !p.r.Named && (p.r.Replaces == nil || !p.overlaps()):
		p.rule("place: needs the name")
	default:
		node, ok := p.choose(without)
		if !ok {
			p.rule("place: nobody can")
			return
		}
		p.rule("place: handed over")
		p.r.NotBefore = time.Time{}
		p.handOver(node)
	}
}

func (p *page) choose(without string) (string, bool) {
	there := p.elsewhere(p.peers.Without(without))
	if failed := p.failedOn(); failed != "" {
		if node, ok := p.best(there.Without(failed)); ok {
			p.rule("place: avoids where it failed")
			return node, true
		}
	}
	return p.best(there)
}

// elsewhere is without the node of the job that this one is to be beside.
func (p *page) elsewhere(there peer.Snapshot) peer.Snapshot {
	if p.r.Replaces != nil && !p.r.Named && p.overlaps() {
		p.rule("place: beside the one before")
		there = there.Without(p.r.Replaces.Node)
	}
	return there
}

// best is a node of those there; a job that has a home knows no other one, and no
// target.
func (p *page) best(there peer.Snapshot) (string, bool) {
	job := p.r.Job
	if home := p.r.Home.Node; home != "" {
		p.rule("place: at home only")
		job.Target = ""
		for n := range there.All() {
			if n.Name() != home {
				there = there.Without(n.Name())
			}
		}
	}
	return Choose(&job, p.r.Platforms, there, p.now)
}

// failedOn is the node on which the last counted attempt failed for a reason
// that may pass.
func (p *page) failedOn() string {
	o := p.r.Outcome
	if o != nil && o.Error != nil && o.Error.Retryable && (o.Status == messages.StatusFailed || o.Status == messages.StatusRejected) {
		return o.Node
	}
	return ""
}

// untie lets go of a target that the job has to leave.
func (p *page) untie(node string) {
	if j := &p.r.Job; j.Target == node && j.Op.Places() && j.Policy.Reroute != messages.RerouteNever {
		p.rule("the target is left")
		j.Target = ""
	}
}

func (p *page) handOver(node string) {
	p.r.State, p.r.Node, p.r.Attempt = messages.StateAssigned, node, p.r.LastAttempt()+1
	p.r.Journal = p.peers.Get(node).Journal()
}

// wait puts the next try off by a backoff, which is for Next to measure.
func (p *page) wait() {
	p.r.NotBefore = p.now.Add(time.Second)
	if p.amount != nil && p.amount.NotBefore.After(p.now) {
		p.r.NotBefore = p.amount.NotBefore
	}
}
