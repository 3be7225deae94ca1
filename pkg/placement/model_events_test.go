package placement

import (
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// The events of the page, but for what a worker says.

func (p *page) submitted(e Submitted) {
	if p.r != nil {
		switch {
		case e.Fingerprint != p.r.Fingerprint:
			p.rule("submitted: another fingerprint")
			p.rejects(messages.CodeIDConflict, "")
		case p.r.State.Ended():
			p.rule("submitted: repeated")
			p.ask(Repeat{})
		}
		return
	}
	j := &e.Job
	switch {
	case !j.Created.IsZero() && p.now.Sub(j.Created) > 24*time.Hour:
		p.rule("submitted: expired")
		p.rejects(messages.CodeExpired, "")
	case j.Op == messages.OpRevoke:
		p.rule("submitted: a revoke")
		p.rejects(messages.CodePermissionDenied, "")
	case e.Holder != "" && !j.Args.Replace:
		p.rule("submitted: the name is held")
		p.rejects(messages.CodeAlreadyExists, "service")
	default:
		order := uint64(0)
		if j.Args.Replace && NeedsName(j) {
			order = e.Order
		}
		p.begin(*j, e.Fingerprint, order)
		p.rule("submitted: begins")
		p.place("")
	}
}

func (p *page) begin(job messages.Job, fingerprint string, order uint64) {
	p.r = &messages.Record{V: 1, Job: job, State: messages.StatePending, Created: p.now, Fingerprint: fingerprint}
	p.r.Order = order
	p.r.Job.Attempt, p.r.Job.Refused, p.r.Job.RefusedDropped = 0, nil, 0
}

func (p *page) claimed(e Claimed) {
	switch {
	case p.r == nil || p.r.State.Ended() || p.r.Named || !NeedsName(&p.r.Job):
	case e.Holder == p.r.Job.ID:
		p.rule("claimed: by this job")
		p.r.Named = true
		if p.r.State == messages.StatePending {
			p.place("")
		}
	case p.r.State != messages.StatePending && p.r.Job.Args.Replace && e.Next == p.r.Job.ID && p.overlaps() && p.r.State != messages.StateCancelling:
		p.rule("claimed: runs beside the holder")
		p.replaces(e)
	case p.r.State == messages.StateCancelling, p.r.State != messages.StatePending && p.r.Job.Args.Replace:
		p.rule("claimed: goes on as it is")
	case p.r.State != messages.StatePending:
		p.rule("claimed: intrudes")
		p.r.State, p.r.Ending = messages.StateCancelling, messages.StateFailed
		p.dropSuccessor()
	case p.r.Job.Args.Replace && p.r.Order > 0 && e.Other.Order > p.r.Order:
		p.rule("claimed: by one that came later")
		p.end(messages.StateCancelled)
	case p.r.Job.Args.Replace && e.Next != p.r.Job.ID:
		p.rule("claimed: asks the next one to end")
		p.ask(Supersede{Job: e.Next, Life: e.Other.Retries, Next: true})
	case p.r.Job.Args.Replace:
		p.takesOver(e)
	default:
		p.rule("claimed: by another")
		p.end(messages.StateFailed)
	}
}

func (p *page) takesOver(e Claimed) {
	p.replaces(e)
	switch {
	case p.now.Before(p.r.NotBefore):
		return
	case p.overlaps():
		p.rule("claimed: make before break")
		p.place("")
	}
	if p.r.State != messages.StatePending {
		return
	}
	if _, ok := p.best(p.peers); ok {
		p.rule("claimed: asks the holder to end")
		p.ask(Supersede{Job: e.Holder, Life: e.Other.Retries})
	} else {
		p.rule("claimed: the holder goes on")
	}
}

func (p *page) replaces(e Claimed) {
	p.r.Replaces = &messages.Replaced{Job: e.Holder, Node: e.Other.Node, Life: e.Other.Retries}
	if p.r.Home.Node == "" && p.local() && e.Other.Home.Node != "" { // in the walks there is one volume
		p.rule("claimed: the holder's volumes")
		p.r.Home.Node = e.Other.Home.Node
	}
}

func (p *page) superseded(e Superseded) {
	if p.r != nil && p.r.Named && p.r.Replaces != nil && p.r.Replaces.Job == e.Job && e.Life >= p.r.Replaces.Life {
		p.rule("superseded")
		p.r.Replaces = nil
	}
}

func (p *page) replaced(e Replaced) {
	switch {
	case p.r == nil:
	case e.Life != p.r.Retries:
		p.rule("replaced: another life")
	case e.Next && p.r.Named:
		p.rule("replaced: it has the name")
	default:
		p.rule("replaced")
		p.cancel()
	}
}

func (p *page) tick() {
	switch {
	case p.r == nil:
	case p.r.State == messages.StatePending:
		p.rule("tick: pending")
		if NeedsName(&p.r.Job) && !p.r.Named && !p.deadlineOver() {
			p.rule("tick: claims its name")
			p.ask(Claim{})
			return
		}
		p.place("")
	case (p.r.State == messages.StateAssigned || p.r.State == messages.StateRunning) && p.deadlineOver():
		p.rule("tick: the deadline is over")
		p.r.State, p.r.Ending = messages.StateCancelling, messages.StateDead
		p.dropSuccessor()
	}
}

func (p *page) unheard(e Unheard) {
	switch {
	case p.r == nil:
	case p.isCurrent(e.Node, e.Attempt) && p.r.State == messages.StateAssigned:
		p.rule("unheard: the current attempt")
		p.unheardCurrent(e.Node)
	case p.isSuccessor(e.Node, e.Attempt) && !p.r.Successor.Accepted:
		p.rule("unheard: the successor")
		p.r.Successor = nil
		p.wait()
	}
}

// unheardCurrent places the job elsewhere, at once or, after several in a row,
// at a pace; how many are several is for Next to say.
func (p *page) unheardCurrent(node string) {
	several := false
	for i := len(p.r.History) - 1; i >= 0; i-- {
		several = several || strings.Contains(p.r.History[i].Event, "unheard")
	}
	waits := p.amount != nil && p.amount.State == messages.StatePending && p.amount.NotBefore.After(p.now)
	if several && waits {
		p.rule("unheard: at a pace")
		p.r.State, p.r.Node = messages.StatePending, ""
		p.wait()
		return
	}
	p.place(node)
	if p.r.State == messages.StatePending && waits {
		p.wait()
	}
}

func (p *page) nodeLost(e NodeLost) {
	if p.r == nil {
		return
	}
	p.lost(e, false)
}

func (p *page) nodeForgotten(node string) {
	if p.r == nil {
		return
	}
	p.rule("forgotten")
	p.lost(NodeLost{Node: node, LeaseOver: true}, true)
	var kept []messages.Fence
	for _, f := range p.r.Fences {
		if f.Node != node {
			kept = append(kept, f)
		}
	}
	if len(kept) < len(p.r.Fences) {
		p.rule("forgotten: a fence is let go")
	}
	p.r.Fences = kept
}

func (p *page) vacate(node string) {
	if p.r == nil || p.r.State != messages.StateRunning || p.r.Node != node || !p.service() ||
		p.r.Successor != nil || p.now.Before(p.r.NotBefore) {
		return
	}
	if p.stops() || p.carries() {
		p.rule("vacate: break before make")
		p.untie(node)
		p.r.Starts = max(0, p.r.Starts-1)
		p.leave()
		p.place("")
		return
	}
	target := p.r.Job.Target
	p.untie(node)
	to, ok := p.best(p.elsewhere(p.peers.Without(node)))
	if !ok {
		p.r.Job.Target = target
		p.rule("vacate: nobody can")
		return
	}
	p.rule("vacate: a successor")
	attempt := p.r.LastAttempt() + 1
	p.r.Successor = &messages.Successor{Node: to, Attempt: attempt, Journal: p.peers.Get(to).Journal()}
	p.r.Highest = attempt
}

func (p *page) cancelAsked(order uint64) {
	switch {
	case p.r == nil:
	case order > 0 && order <= p.r.Cancelled:
		p.rule("cancel: a repeat")
	default:
		before := p.r.State
		if p.cancel(); p.r.State != before && order > 0 {
			p.r.Cancelled = order
		}
	}
}

func (p *page) cancel() {
	switch {
	case p.r == nil:
	case p.r.State == messages.StatePending:
		p.rule("cancel: pending")
		p.end(messages.StateCancelled)
	case p.r.State == messages.StateAssigned, p.r.State == messages.StateRunning:
		p.rule("cancel: held")
		p.r.State, p.r.Ending = messages.StateCancelling, messages.StateCancelled
		p.dropSuccessor()
	}
}

func (p *page) retry(e RetryAsked) {
	switch {
	case p.r != nil && p.r.State == messages.StatePending:
		p.rule("retry: placed now")
		p.r.NotBefore = time.Time{}
		p.place("")
		if p.r.State == messages.StatePending && NeedsName(&p.r.Job) && !p.r.Named {
			p.ask(Claim{})
		}
	case p.r != nil && p.r.State.Ended() && p.r.State != messages.StateCompleted && e.Holder != "" && !p.r.Job.Args.Replace:
		p.rule("retry: the name is held")
		p.rejects(messages.CodeAlreadyExists, "service")
	case p.r != nil && p.r.State.Ended() && p.r.State != messages.StateCompleted && p.r.Named && p.r.Replaces != nil:
		p.rule("retry: the one before has not ended")
		p.rejects(messages.CodeFailedPrecondition, "")
	case p.r != nil && p.r.State.Ended() && p.r.State != messages.StateCompleted:
		p.rule("retry: another life")
		if p.r.Replaces = nil; NeedsName(&p.r.Job) {
			p.r.Order = 0
		}
		p.r.Starts, p.r.Created, p.r.Job.Refused, p.r.Named = 0, p.now, nil, false
		p.r.Retries++
		p.r.Outcome = nil
		p.r.Ending, p.r.NotBefore, p.r.HealthySince = "", time.Time{}, time.Time{}
		p.place("")
	case p.r != nil:
		p.rule("retry: cannot be")
		p.rejects(messages.CodeFailedPrecondition, "")
	}
}
