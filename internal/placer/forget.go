package placer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// forgetNode takes an operator's word that a node is gone for good: what it had
// moves, and nothing is owed to it any more. A node that can be heard is not
// gone. If not all of its jobs could be told, the node stays, and forgetting it
// again goes on where it stopped.
func (p *Placer) forgetNode(ctx context.Context, req messages.NodeRequest) (any, error) {
	node := req.Node
	s := p.fleet.see(node, time.Now())
	named := p.records.on(node, func(*entry) bool { return true })
	switch {
	case s.state == "" && len(named) == 0:
		return nil, unknownNode(node)
	case answering(s.state) || s.state == messages.NodeQuarantined:
		return nil, &messages.Error{
			Code: messages.CodeFailedPrecondition, Field: "node",
			Message: fmt.Sprintf("node %q is %s; want one that is lost or has left: stop its worker first", node, s.state),
		}
	}
	for _, e := range named {
		err := p.await(ctx, e.record.Job.ID, placement.NodeForgotten{Node: node})
		if err != nil && !errors.Is(err, errNoRecord) {
			return nil, err
		}
	}
	p.fleet.forget(node)
	p.leases.forget(node)
	return messages.DrainReply{V: messages.Version, Node: node}, nil
}
