package client

import (
	"context"
	"iter"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Nodes is every node the placers know, in the order of names.
func (c *Client) Nodes(ctx context.Context, req messages.NodesRequest) iter.Seq2[messages.NodeInfo, error] {
	req.V = messages.Version
	return func(yield func(messages.NodeInfo, error) bool) {
		for {
			reply, err := call[messages.NodesReply](ctx, c, c.root.PlacerVerb(messages.PlacerNodes), req)
			if err != nil {
				yield(messages.NodeInfo{}, err)
				return
			}
			for _, n := range reply.Nodes {
				if !yield(n, nil) {
					return
				}
			}
			if reply.Next == "" {
				return
			}
			req.Cursor = reply.Next
		}
	}
}

// Inspect is everything a node knows of one of its containers.
func (c *Client) Inspect(ctx context.Context, node, container string) (messages.InspectReply, error) {
	return call[messages.InspectReply](ctx, c, c.root.NodeVerb(node, messages.VerbInspect), messages.ContainerRequest{V: messages.Version, Container: container})
}

// Info is what a worker says of itself.
func (c *Client) Info(ctx context.Context, node string) (messages.InfoReply, error) {
	return call[messages.InfoReply](ctx, c, c.root.NodeVerb(node, messages.VerbInfo), messages.EmptyRequest{V: messages.Version})
}
