package placement

import (
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// lost is what the page says of a lost node, and of a forgotten one.
func (p *page) lost(e NodeLost, forgotten bool) {
	expired := false
	defer func() {
		if expired && p.r.State == messages.StatePending {
			p.rule("lost: a fence has expired, and the job waited for that")
			p.place("")
		}
	}()
	if s := p.r.Successor; s != nil && s.Node == e.Node && (e.Journal == "" || e.Journal == s.Journal) {
		p.rule("lost: the successor")
		p.dropSuccessor()
	}
	again, gone := false, forgotten || e.LeaseOver && p.carries() || p.carries() && !p.stops() && e.Journal == "" || e.LeaseOver && p.stops()
	if !p.held() && !p.r.State.Ended() && p.leavesHome(e, forgotten) {
		again = p.r.State == messages.StatePending
	}
	if p.held() && p.r.Node == e.Node && (e.Journal == "" || e.Journal == p.r.Journal) {
		again = p.lostCurrent(e, forgotten)
	}
	for i := range p.r.Fences {
		if f := &p.r.Fences[i]; gone && (p.stops() || p.carries()) && !p.r.State.Ended() && f.Node == e.Node && !f.Expired {
			p.rule("lost: a fence has expired")
			f.Expired, expired = true, true
		}
	}
	if again {
		expired = false
		p.place("")
	}
}

// lostCurrent is of the current attempt; it tells whether the job is to be
// placed again.
func (p *page) lostCurrent(e NodeLost, forgotten bool) bool {
	said := p.r.Job.Policy.OnNodeLoss
	if forgotten && said == messages.LossWait {
		said = ""
	}
	assigned := p.r.State == messages.StateAssigned
	switch {
	case p.stops() && !e.LeaseOver && e.Journal == "":
		p.rule("lost: its lease is not over")
	case p.r.State == messages.StateCancelling:
		p.rule("lost: while cancelling")
		p.end(p.r.Ending)
		p.owe(p.r.Node, p.r.Attempt)
	case p.r.Successor != nil:
		p.rule("lost: the successor takes over")
		node, attempt := p.r.Node, p.r.Attempt
		p.promote()
		p.owe(node, attempt)
	case said == messages.LossWait && e.Journal == "":
		p.rule("lost: waits")
	case said == messages.LossFail:
		p.rule("lost: fails")
		p.end(messages.StateLost)
		p.owe(p.r.Node, p.r.Attempt)
	case p.r.Home.Node == e.Node && e.Journal == "" && !forgotten && said != messages.LossReschedule && (assigned || p.service() || p.twice()):
		p.rule("lost: stays at home")
	case assigned || p.service() || p.twice() || said == messages.LossReschedule:
		p.untie(e.Node)
		p.leavesHome(e, forgotten)
		p.forgetStarts()
		if p.usedUp() {
			p.rule("lost: the starts are used up")
			p.leave()
			p.end(messages.StateDead)
			return false
		}
		p.rule("lost: moves")
		p.leave()
		return true
	default:
		p.rule("lost: a started task")
		p.end(messages.StateLost)
		p.owe(p.r.Node, p.r.Attempt)
	}
	return false
}

// leavesHome unties the job from a home that is lost, if the job says so, or that
// will not come back.
func (p *page) leavesHome(e NodeLost, forgotten bool) bool {
	said := p.r.Job.Policy.OnNodeLoss == messages.LossReschedule && e.Journal == "" && (!p.stops() || e.LeaseOver)
	if p.r.Home.Node != e.Node || !said && !forgotten {
		return false
	}
	p.rule("lost: its home is left")
	p.r.Home = messages.Home{}
	return true
}
