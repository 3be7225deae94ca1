package sim

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// client is who gives the fleet its work, and asks again until it is told that
// the fleet has it.
type client struct {
	*workload
	s *simulation

	mu       sync.Mutex
	jobs     []messages.Job    // those that make containers, as they were sent
	services map[string]string // where each was last said to run
}

func newClient(s *simulation) *client {
	w := &workload{rng: s.dice.sequence("workload")}
	for _, n := range s.nodes {
		w.nodes = append(w.nodes, n.name)
	}
	return &client{workload: w, s: s, services: map[string]string{}}
}

// listen learns where services run.
func (c *client) listen() error {
	_, err := c.s.net.Subscribe(root.Outcome(messages.Any, messages.Any), func(m bus.Message) {
		o, err := messages.Decode[messages.Outcome](m.Data)
		if err != nil {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case o.Status == messages.StatusRunning:
			c.services[o.Job] = o.Node
		case o.Status.Ends() && c.services[o.Job] == o.Node:
			delete(c.services, o.Job)
		}
	})
	return err
}

// run sends everything within the given time.
func (c *client) run(ctx context.Context, length time.Duration) {
	gap := length / time.Duration(c.s.cfg.Jobs)
	for c.n < c.s.cfg.Jobs && c.s.faulty() && ctx.Err() == nil {
		c.s.busBack(ctx)
		c.act(ctx)
		c.s.rest(ctx, time.Duration(c.rng.Int64N(int64(2*gap))))
	}
}

// act does one thing a scheduler or an operator does.
func (c *client) act(ctx context.Context) {
	n := c.rng.IntN(27)
	if c.s.cfg.Errands && c.n > 4 && n < 18 {
		n = 18 + n%9
	}
	switch {
	case n < 9:
		c.submit(c.task())
	case n < 11:
		c.submit(c.service())
	case n < 12:
		c.replace(ctx, c.version())
	case n < 13:
		c.submit(c.misfit())
	case n < 15:
		c.direct(ctx)
	case n < 16:
		if job := c.some(); job != nil {
			c.submit(*job) // again
		}
	case n < 18:
		if job := c.some(); job != nil {
			c.cancel(job.ID)
		}
	case n < 22:
		c.work(ctx)
	case n < 24:
		c.operate(ctx)
	default:
		c.errand(ctx)
	}
}

// some is a job that was sent before, or nil.
func (c *client) some() *messages.Job {
	if len(c.jobs) == 0 {
		return nil
	}
	return &c.jobs[c.rng.IntN(len(c.jobs))]
}

// submit puts a job on intake.
func (c *client) submit(job messages.Job) {
	if job.Op == messages.OpRun && !slices.ContainsFunc(c.jobs, func(j messages.Job) bool { return j.ID == job.ID }) {
		c.jobs = append(c.jobs, job)
	}
	c.s.record(checker.Event{Kind: checker.Submitted, Job: job.ID, Body: &job})
	if c.append(root.Job(job.ID), job) {
		c.s.record(checker.Event{Kind: checker.Acknowledged, Job: job.ID})
	}
}

// replace submits a service that takes its name over from whatever job has it, or
// is about to: that is asked to end.
// Sometimes that is regretted soon, and it is to take its name back.
func (c *client) replace(ctx context.Context, job messages.Job) {
	c.displace(&job)
	c.submit(job)
	if !c.one(2) {
		return
	}
	for i := range slices.Backward(c.jobs[:len(c.jobs)-1]) {
		if before := c.jobs[i]; before.Args.Replace && before.ContainerName() == job.ContainerName() {
			c.s.rest(ctx, time.Duration(c.rng.IntN(10))*time.Second)
			c.retry(ctx, &before)
			return
		}
	}
}

// retry asks for another life of a job.
func (c *client) retry(ctx context.Context, job *messages.Job) {
	c.displace(job)
	c.s.record(checker.Event{Kind: checker.RetryAsked, Job: job.ID})
	c.placers(ctx, messages.PlacerRetry, messages.JobRequest{V: messages.Version, ID: job.ID, Reason: "again"})
}

// displace notes that whatever has the name of a job that takes it over is asked
// to end.
func (c *client) displace(job *messages.Job) {
	for i := range c.jobs {
		if other := &c.jobs[i]; job.Args.Replace && other.ID != job.ID && other.ContainerName() == job.ContainerName() {
			c.s.record(checker.Event{Kind: checker.CancelAsked, Job: other.ID})
		}
	}
}

// container is the name of the container that a job makes.
func (c *client) container(job string) string {
	for i := range c.jobs {
		if c.jobs[i].ID == job {
			return c.jobs[i].ContainerName()
		}
	}
	return messages.ContainerName(job, 0)
}

// append publishes into a stream, on a connection that is never cut.
func (c *client) append(subject string, v any) bool {
	data, err := messages.Encode(v)
	if err == nil {
		_, err = c.s.net.Append(c.s.ctx, bus.Message{Subject: subject, Data: data})
	}
	if err != nil {
		c.s.log.Error("the client could not send", "subject", subject, "error", err)
	}
	return err == nil
}

func (c *client) cancel(job string) {
	c.s.record(checker.Event{Kind: checker.CancelAsked, Job: job})
	c.append(root.Cancel(job), messages.Cancel{V: messages.Version, Reason: "enough"})
}

// direct gives a task to a node, and sometimes to a second one.
func (c *client) direct(ctx context.Context) {
	job := c.task()
	job.Target = ""
	c.command(ctx, c.node(), job)
	if c.one(3) {
		c.command(ctx, c.node(), job)
	}
}

// command sends a job to a node, and again while there is no answer.
func (c *client) command(ctx context.Context, node string, job messages.Job) {
	c.s.record(checker.Event{Kind: checker.Submitted, Job: job.ID, Node: node, Body: &job})
	data, err := messages.Encode(job)
	if err != nil {
		c.s.log.Error("the client could not send", "job", job.ID, "error", err)
		return
	}
	for range 3 {
		reply, err := c.request(ctx, root.Command(node), data)
		if err != nil {
			continue
		}
		o, err := messages.Decode[messages.Outcome](reply.Data)
		if err == nil && (o.Status == messages.StatusAccepted || o.Status == messages.StatusRouteToPeer) {
			c.s.record(checker.Event{Kind: checker.Acknowledged, Job: job.ID})
		}
		return
	}
}

func (c *client) request(ctx context.Context, subject string, data []byte) (bus.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	return c.s.net.Request(ctx, bus.Message{Subject: subject, Data: data})
}

// work does something to a service that is up.
func (c *client) work(ctx context.Context) {
	c.mu.Lock()
	var up []string
	for job := range c.services {
		up = append(up, job)
	}
	slices.Sort(up)
	c.mu.Unlock()
	if len(up) == 0 {
		return
	}
	service := up[c.rng.IntN(len(up))]
	c.mu.Lock()
	node := c.services[service]
	c.mu.Unlock()
	op := messages.OpExec
	if c.one(3) || c.s.cfg.Errands && c.one(2) {
		op = []messages.Op{messages.OpStop, messages.OpRestart, messages.OpKill, messages.OpRemove}[c.rng.IntN(4)]
		c.s.record(checker.Event{Kind: checker.StopAsked, Job: service})
	}
	job := c.on(op, c.container(service))
	if c.one(3) {
		job.Target = node
		c.submit(job)
		return
	}
	c.command(ctx, node, job)
}

// operate asks the placers for what operators ask.
func (c *client) operate(ctx context.Context) {
	node := c.node()
	request := messages.NodeRequest{V: messages.Version, Node: node}
	switch c.rng.IntN(4) {
	case 0:
		c.s.record(checker.Event{Kind: checker.DrainAsked, Node: node})
		c.placers(ctx, messages.PlacerDrain, request)
	case 1:
		c.s.record(checker.Event{Kind: checker.UndrainAsked, Node: node})
		c.placers(ctx, messages.PlacerUndrain, request)
	default:
		if job := c.some(); job != nil {
			c.retry(ctx, job)
		}
	}
}

// placers asks the placers for something.
func (c *client) placers(ctx context.Context, verb messages.PlacerVerb, request any) {
	data, err := messages.Encode(request)
	if err != nil {
		c.s.log.Error("the client could not ask", "verb", verb, "error", err)
		return
	}
	if _, err := c.request(ctx, root.PlacerVerb(verb), data); err != nil {
		c.s.log.Info("the client was not answered", "verb", verb, "error", err)
	}
}

// finish asks for the end of everything that has none of its own, and takes
// every drain back.
func (c *client) finish(ctx context.Context) {
	for _, job := range c.jobs {
		if job.EffectiveKind() == messages.KindService {
			c.cancel(job.ID)
		}
	}
	for _, n := range c.nodes {
		data, err := messages.Encode(messages.NodeRequest{V: messages.Version, Node: n})
		if err == nil {
			_, err = c.request(ctx, root.PlacerVerb(messages.PlacerUndrain), data)
		}
		if err != nil {
			c.s.log.Info("the client was not answered", "verb", "undrain", "error", err)
		}
		c.s.record(checker.Event{Kind: checker.UndrainAsked, Node: n})
	}
}
