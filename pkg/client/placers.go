package client

import (
	"context"
	"iter"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// placer asks whichever placer answers first.
func placer[Reply any](ctx context.Context, c *Client, verb messages.PlacerVerb, request any) (Reply, error) {
	return call[Reply](ctx, c, c.root.PlacerVerb(verb), request)
}

// Jobs is the live jobs that match, or those that have ended in the state asked
// for, in the order of ids and without their specs. It is asked page by page;
// a Cursor in the request is where it begins.
func (c *Client) Jobs(ctx context.Context, req messages.JobsRequest) iter.Seq2[messages.Record, error] {
	req.V = messages.Version
	first := req.Page
	return pages(func(cursor string) ([]messages.Record, string, error) {
		req.Page = page(first, cursor)
		reply, err := placer[messages.JobsReply](ctx, c, messages.PlacerJobs, req)
		return reply.Jobs, reply.Next, err
	})
}

// page is the page behind a cursor, the first one as it was asked for. That one
// comes soonest when it is small; whoever reads on is given large ones.
func page(first messages.Page, cursor string) messages.Page {
	if cursor == "" {
		return first
	}
	next := messages.Page{Cursor: cursor, Limit: first.Limit}
	if next.Limit == 0 {
		next.Limit = messages.MaxPageSize
	}
	return next
}

// Job is a job's record, live or ended.
func (c *Client) Job(ctx context.Context, id string) (messages.Record, error) {
	return placer[messages.Record](ctx, c, messages.PlacerJob, messages.JobRequest{V: messages.Version, ID: id})
}

// Retry begins another life of a job that has ended badly, or ends the waiting of
// a pending one, and is its record then. It is not asked again when the
// connection is lost meanwhile, since a second retry may be refused.
func (c *Client) Retry(ctx context.Context, id, reason string) (messages.Record, error) {
	return exchange[messages.Record](ctx, c, c.root.PlacerVerb(messages.PlacerRetry), messages.JobRequest{V: messages.Version, ID: id, Reason: reason}, false)
}

// Cancel asks for a job's end, and is its record then: cancelling, or ended.
// SubmitCancel is the way that needs no placer at the time.
func (c *Client) Cancel(ctx context.Context, id, reason string) (messages.Record, error) {
	return placer[messages.Record](ctx, c, messages.PlacerCancel, messages.JobRequest{V: messages.Version, ID: id, Reason: reason})
}

// Explain tells why a job is where it is, or where one would go.
func (c *Client) Explain(ctx context.Context, req messages.ExplainRequest) (messages.ExplainReply, error) {
	req.V = messages.Version
	return placer[messages.ExplainReply](ctx, c, messages.PlacerExplain, req)
}

// Nodes is every node the placers know and that matches, in the order of names.
func (c *Client) Nodes(ctx context.Context, req messages.NodesRequest) iter.Seq2[messages.NodeInfo, error] {
	req.V = messages.Version
	first := req.Page
	return pages(func(cursor string) ([]messages.NodeInfo, string, error) {
		req.Page = page(first, cursor)
		reply, err := placer[messages.NodesReply](ctx, c, messages.PlacerNodes, req)
		return reply.Nodes, reply.Next, err
	})
}

// Drain asks a node to take no more work, and its services to move. It answers
// at once, or with a timeout when nothing is left or the time is over.
func (c *Client) Drain(ctx context.Context, req messages.DrainRequest) (messages.DrainReply, error) {
	req.V = messages.Version
	return placer[messages.DrainReply](ctx, c, messages.PlacerDrain, req)
}

// Undrain lets a node take work again.
func (c *Client) Undrain(ctx context.Context, node string) (messages.DrainReply, error) {
	return placer[messages.DrainReply](ctx, c, messages.PlacerUndrain, messages.DrainRequest{V: messages.Version, Node: node})
}

// Forget says that a node is gone for good: what is owed to it is waived.
func (c *Client) Forget(ctx context.Context, node string) (messages.DrainReply, error) {
	return placer[messages.DrainReply](ctx, c, messages.PlacerForget, messages.NodeRequest{V: messages.Version, Node: node})
}

// Info is what the placer that answers says of itself and of the others.
func (c *Client) Info(ctx context.Context) (messages.PlacerInfoReply, error) {
	return placer[messages.PlacerInfoReply](ctx, c, messages.PlacerInfo, messages.EmptyRequest{V: messages.Version})
}
