package placer

import (
	"context"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// reconcile compares what nodes run with what the records say: each node of this
// placer's when it is heard for the first time, or again, and then at times. A
// container that no record knows is adopted if its worker's journal still has
// the job, and left alone if not; one of an attempt that is no longer the
// record's is brought to the record, which then owes its revoke.
func (p *Placer) reconcile(now time.Time, t turns) {
	for _, node := range p.fleet.unreconciled(now, p.cfg.Reconcile) {
		if !t.mine(node) || !p.fleet.answers(node) {
			continue // it may be this placer's, and be heard, at the next look
		}
		if !p.lists.enter() {
			return
		}
		p.fleet.reconciled(node, now)
		p.beside(func(ctx context.Context) {
			defer p.lists.leave()
			if err := p.reconcileNode(ctx, node); err != nil && ctx.Err() == nil {
				p.log.Warn("what a node runs could not be compared with the records", "node", node, "error", err)
			}
		})
	}
}

// reconcileNode reads the node's running containers, page by page.
func (p *Placer) reconcileNode(ctx context.Context, node string) error {
	request := messages.ListRequest{V: messages.Version}
	for {
		page, err := askSoon[messages.ListReply](ctx, p, node, messages.VerbList, request)
		if err != nil {
			return err
		}
		for _, c := range page.Containers {
			if c.Job == "" || c.Attempt == 0 || p.accountsFor(c.Job, node, c.Attempt) {
				continue
			}
			if err := p.bringFound(ctx, node, &c); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		request.Cursor = page.Next
	}
}

// accountsFor tells whether a live record knows of an attempt: it is current, a
// successor, or owed a revoke.
func (p *Placer) accountsFor(job, node string, attempt uint64) bool {
	e, ok := p.records.get(job)
	if !ok {
		return false
	}
	rec := e.record
	if rec.Node == node && rec.Attempt == attempt && !rec.State.Ended() && rec.State != messages.StatePending {
		return true
	}
	if s := rec.Successor; s != nil && s.Node == node && s.Attempt == attempt {
		return true
	}
	for _, f := range rec.Fences {
		if f.Node == node && f.Attempt >= attempt {
			return true
		}
	}
	return false
}

// bringFound asks the node about a container that no record accounts for, and
// brings what is alive to its job.
func (p *Placer) bringFound(ctx context.Context, node string, c *messages.ContainerInfo) error {
	o, err := p.attemptOf(ctx, node, c.Job, c.Attempt)
	log := p.log.With("node", node, "container", c.Container, "job", c.Job, "attempt", c.Attempt)
	switch {
	case isCode(err, messages.CodeNotFound):
		log.Warn("a container runs that neither a record nor its node's journal knows; it is left alone")
		return nil
	case err != nil:
		return err
	case o.Status.Ends():
		return nil
	}
	log.Info("a container was found that no record accounts for", "adopted", o.JobBody != nil)
	p.bring(c.Job, placement.Reported{Outcome: o})
	return nil
}
