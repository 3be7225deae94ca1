package sim

import (
	"context"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// errand asks for what is no container's beginning or end: images, names, lists,
// output, figures, programs. Nothing depends on the answers.
func (c *client) errand(ctx context.Context) {
	node, service := c.node(), c.someService()
	job := messages.Job{V: messages.Version, Target: node}
	switch c.rng.IntN(16) {
	case 0:
		job.Op, job.Args = messages.OpPull, messages.Args{Image: "sim/both:1"}
	case 1:
		job.Op, job.Args = messages.OpTag, messages.Args{Source: "sim/both:1", Target: "sim/mine:1"}
	case 2:
		job.Op, job.Args = messages.OpRemoveImage, messages.Args{Image: "sim/mine:1"}
	case 3:
		job.Op = messages.OpPrune
	case 4, 9, 10: // with the next, what needs a service that is up: often there is none
		job.Op, job.Container, job.Args = messages.OpSyncVolumes, service, messages.Args{Copy: "registry.sim/volumes:1"}
	case 5, 11, 12:
		job.Op, job.Container, job.Args = messages.OpRename, service, messages.Args{NewName: c.id("name")}
	case 6:
		c.ask(ctx, root.NodeVerb(node, messages.VerbImages), messages.ImagesRequest{V: messages.Version})
		return
	case 7:
		c.ask(ctx, root.PlacerVerb(messages.PlacerJobs), messages.JobsRequest{V: messages.Version, State: messages.StateDead})
		return
	default: // four in sixteen: it has to find a service that is silent
		c.look(node, service)
		return
	}
	if job.Op == messages.OpSyncVolumes || job.Op == messages.OpRename {
		if service == "" {
			return
		}
		node = c.holder(service, node)
	}
	job.ID = c.id(string(job.Op))
	c.command(ctx, node, job)
}

// ask sends a request of which nobody needs the answer.
func (c *client) ask(ctx context.Context, subject string, request any) {
	data, err := messages.Encode(request)
	if err == nil {
		_, err = c.request(ctx, subject, data)
	}
	if err != nil {
		c.s.log.Info("the client was not answered", "subject", subject, "error", err)
	}
}

// someService is the container of a service that is up, or "".
func (c *client) someService() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := ""
	for job := range c.services {
		if first == "" || job < first {
			first = job
		}
	}
	if first == "" {
		return ""
	}
	return c.container(first)
}

// holder is the node that a service's container was last seen on, or otherwise.
func (c *client) holder(container, otherwise string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for job, on := range c.services {
		if c.container(job) == container && on != "" {
			return on
		}
	}
	return otherwise
}

// look asks for what a node streams of a container, for longer than a streamed
// answer stays silent without asking whether anybody listens: its output, and
// beside that its figures or a program in it.
func (c *client) look(node, container string) {
	if container == "" {
		return
	}
	node = c.holder(container, node)
	inbox := "_INBOX." + c.id("look")
	c.listenTo(inbox+".logs", node, messages.VerbLogs, messages.LogsRequest{V: messages.Version, Container: container, Follow: true})
	exec := messages.ExecRequest{V: messages.Version, Container: container, Cmd: []string{"sleep", "3"}}
	switch c.n % 4 {
	case 0:
		c.listenTo(inbox+".stats", node, messages.VerbStats, messages.StatsRequest{V: messages.Version, Container: container})
	case 1:
		c.listenTo(inbox+".stats", node, messages.VerbStats, messages.StatsRequest{V: messages.Version, Container: container, Stream: true})
	case 2:
		c.listenTo(inbox+".exec", node, messages.VerbExec, exec)
	case 3:
		exec.Cmd, exec.Stdin = []string{"cat"}, true // until nobody listens any more
		c.listenTo(inbox+".exec", node, messages.VerbExec, exec)
	}
}

// listenTo asks a node, and hears the answer for a while.
func (c *client) listenTo(inbox, node string, verb messages.WorkerVerb, request any) {
	data, err := messages.Encode(request)
	if err != nil {
		c.s.log.Error("the client could not ask", "verb", verb, "error", err)
		return
	}
	frames, err := c.s.net.Subscribe(inbox, func(bus.Message) {})
	if err != nil {
		c.s.log.Error("the client could not listen", "verb", verb, "error", err)
		return
	}
	c.s.beside(func(ctx context.Context) {
		_ = c.s.net.Publish(ctx, bus.Message{Subject: root.NodeVerb(node, verb), Reply: inbox, Data: data})
		select {
		case <-time.After(12 * time.Second):
		case <-ctx.Done():
		}
		_ = frames.Stop(ctx)
	})
}
