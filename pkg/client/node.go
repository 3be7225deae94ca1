package client

import (
	"context"
	"iter"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Node is one node's worker, and its verbs. Nothing is asked before a method is
// called, so there need not be such a node.
type Node struct {
	c    *Client
	name string
}

// Node is the node of that name.
func (c *Client) Node(name string) *Node { return &Node{c: c, name: name} }

// Name is the node's name.
func (n *Node) Name() string { return n.name }

func worker[Reply any](ctx context.Context, n *Node, verb messages.WorkerVerb, request any) (Reply, error) {
	return call[Reply](ctx, n.c, n.c.root.NodeVerb(n.name, verb), request)
}

// List is the node's containers in the order of names: those that have not
// ended, or all. It is asked page by page.
func (n *Node) List(ctx context.Context, all bool) iter.Seq2[messages.ContainerInfo, error] {
	return pages(func(cursor string) ([]messages.ContainerInfo, string, error) {
		req := messages.ListRequest{V: messages.Version, All: all, Page: messages.Page{Cursor: cursor}}
		reply, err := worker[messages.ListReply](ctx, n, messages.VerbList, req)
		return reply.Containers, reply.Next, err
	})
}

// Images is the images that the node holds, page by page.
func (n *Node) Images(ctx context.Context) iter.Seq2[messages.ImageInfo, error] {
	return pages(func(cursor string) ([]messages.ImageInfo, string, error) {
		req := messages.ImagesRequest{V: messages.Version, Page: messages.Page{Cursor: cursor}}
		reply, err := worker[messages.ImagesReply](ctx, n, messages.VerbImages, req)
		return reply.Images, reply.Next, err
	})
}

// Peers is the nodes that the worker itself has heard, page by page.
func (n *Node) Peers(ctx context.Context) iter.Seq2[messages.NodeInfo, error] {
	return pages(func(cursor string) ([]messages.NodeInfo, string, error) {
		req := messages.PeersRequest{V: messages.Version, Page: messages.Page{Cursor: cursor}}
		reply, err := worker[messages.NodesReply](ctx, n, messages.VerbPeers, req)
		return reply.Nodes, reply.Next, err
	})
}

// Inspect is everything the node knows of one of its containers.
func (n *Node) Inspect(ctx context.Context, container string) (messages.InspectReply, error) {
	return worker[messages.InspectReply](ctx, n, messages.VerbInspect, messages.ContainerRequest{V: messages.Version, Container: container})
}

// State is where a container stands.
func (n *Node) State(ctx context.Context, container string) (messages.StateReply, error) {
	return worker[messages.StateReply](ctx, n, messages.VerbState, messages.ContainerRequest{V: messages.Version, Container: container})
}

// Stats is a container's figures as they are now. StatsStream goes on.
func (n *Node) Stats(ctx context.Context, container string) (messages.Stats, error) {
	return worker[messages.Stats](ctx, n, messages.VerbStats, messages.StatsRequest{V: messages.Version, Container: container})
}

// StatsStream is a container's figures, again and again until it ends. It outlives
// the connection and the worker; there are no figures of the time in between, and
// a container that has ended by then is an error.
func (n *Node) StatsStream(ctx context.Context, container string) iter.Seq2[messages.Stats, error] {
	return documents[messages.Stats](ctx, n.c, n.c.root.NodeVerb(n.name, messages.VerbStats),
		messages.StatsRequest{V: messages.Version, Container: container, Stream: true})
}

// Events is what the worker does from now on, until ctx ends, across lost
// connections and restarts of the worker. Events are told once: what is told
// while the connection or the worker is away is missed. Client.Events hears all
// of them.
func (n *Node) Events(ctx context.Context, kinds ...messages.EventKind) iter.Seq2[messages.Event, error] {
	return documents[messages.Event](ctx, n.c, n.c.root.NodeVerb(n.name, messages.VerbEvents),
		messages.EventsRequest{V: messages.Version, Kinds: kinds})
}

// Info is what the worker says of itself.
func (n *Node) Info(ctx context.Context) (messages.InfoReply, error) {
	return worker[messages.InfoReply](ctx, n, messages.VerbInfo, messages.EmptyRequest{V: messages.Version})
}

// Attempt is the last outcome of a job's attempt as the worker's journal has it;
// attempt 0 is the newest.
func (n *Node) Attempt(ctx context.Context, job string, attempt uint64) (messages.Outcome, error) {
	return worker[messages.Outcome](ctx, n, messages.VerbAttempt, messages.AttemptRequest{V: messages.Version, Job: job, Attempt: attempt})
}

// Drain asks the worker itself to take no more work; Client.Drain asks a placer
// to see to it. With a timeout it answers when nothing is left, or the time is
// over.
func (n *Node) Drain(ctx context.Context, timeout time.Duration) (messages.DrainReply, error) {
	return worker[messages.DrainReply](ctx, n, messages.VerbDrain, messages.DrainRequest{V: messages.Version, Timeout: messages.Duration(timeout)})
}

// Undrain lets the worker take work again.
func (n *Node) Undrain(ctx context.Context) (messages.DrainReply, error) {
	return worker[messages.DrainReply](ctx, n, messages.VerbUndrain, messages.DrainRequest{V: messages.Version})
}
