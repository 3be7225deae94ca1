package placer

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/version"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/placement"
)

// queue is the group in which placers divide the requests between them.
const queue = "placers"

// serve answers the placers' verbs.
func (p *Placer) serve(context.Context) (bus.Subscription, error) {
	answers := map[messages.PlacerVerb]func(context.Context, []byte) (any, error){
		messages.PlacerJobs:    answer(p.listJobs),
		messages.PlacerJob:     answer(p.showJob),
		messages.PlacerRetry:   answer(p.retryJob),
		messages.PlacerCancel:  answer(p.cancelJob),
		messages.PlacerExplain: answer(p.explain),
		messages.PlacerNodes:   answer(p.listNodes),
		messages.PlacerDrain:   answer(p.drainNode),
		messages.PlacerUndrain: answer(p.undrainNode),
		messages.PlacerForget:  answer(p.forgetNode),
		messages.PlacerInfo:    answer(p.info),
	}
	service := bus.Service{
		Name: "shunt-placer", Version: version.Semver(p.cfg.Version),
		Description: "decides where shunt's jobs run",
		Metadata:    map[string]string{"id": p.cfg.ID},
	}
	for _, verb := range messages.PlacerVerbs() {
		handle := answers[verb]
		service.Endpoints = append(service.Endpoints, bus.Endpoint{
			Name: string(verb), Subject: p.cfg.Root.PlacerVerb(verb), Queue: queue,
			Handler: func(r bus.Request) { p.work.Go(func() { p.reply(r, handle) }) },
		})
	}
	return p.cfg.Bus.Serve(service)
}

// verbTimeout bounds how long a verb may take to be answered.
const verbTimeout = 30 * time.Second

// reply answers a request with what handle makes of it.
func (p *Placer) reply(r bus.Request, handle func(context.Context, []byte) (any, error)) {
	ctx, cancel := context.WithTimeout(p.ctx, verbTimeout)
	defer cancel()
	value, err := handle(ctx, r.Message().Data)
	var data []byte
	if err == nil {
		data, err = messages.Encode(value)
	}
	if err == nil {
		err = r.Respond(bus.Message{Data: data})
	} else {
		e := messages.AsError(err)
		err = r.Fail(strconv.Itoa(e.Code.HTTPStatus()), e.Error(), nil, nil)
	}
	if err != nil {
		p.log.Warn("a request was not answered", "subject", r.Message().Subject, "error", err)
	}
}

// answer makes a handler of a method: it decodes the request for it.
func answer[T any, P interface {
	*T
	messages.Validator
}](f func(context.Context, T) (any, error)) func(context.Context, []byte) (any, error) {
	return func(ctx context.Context, data []byte) (any, error) {
		req, err := messages.DecodeRequest[T, P](data)
		if err != nil {
			return nil, err
		}
		return f(ctx, req)
	}
}

func (p *Placer) showJob(ctx context.Context, req messages.JobRequest) (any, error) {
	return p.find(ctx, req.ID)
}

// find is a job's record, live or ended.
func (p *Placer) find(ctx context.Context, id string) (*messages.Record, error) {
	if e, ok := p.records.get(id); ok {
		return e.record, nil
	}
	rec, _, err := p.stored(ctx, id)
	if err == nil && rec == nil {
		rec, err = p.lastLife(ctx, id)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	if rec == nil {
		return nil, unknownJob(id)
	}
	return rec, nil
}

func unknownJob(id string) error {
	return &messages.Error{
		Code: messages.CodeNotFound, Field: "id",
		Message: fmt.Sprintf("no job %q is known; ended ones are kept for 7 days, dead ones for 30", id),
	}
}

// cancelJob asks for a job's end.
func (p *Placer) cancelJob(ctx context.Context, req messages.JobRequest) (any, error) {
	return p.change(ctx, req.ID, placement.CancelAsked{Reason: req.Reason})
}

// retryJob asks for another life of a job that has ended badly.
func (p *Placer) retryJob(ctx context.Context, req messages.JobRequest) (any, error) {
	return p.change(ctx, req.ID, placement.RetryAsked{Reason: req.Reason})
}

// change brings an event to a job, and answers with its record as it is then.
func (p *Placer) change(ctx context.Context, id string, ev placement.Event) (any, error) {
	err := p.await(ctx, id, ev)
	switch {
	case errors.Is(err, errNoRecord):
		return nil, unknownJob(id)
	case err != nil:
		return nil, err
	}
	return p.find(ctx, id)
}

// await brings an event to a job and waits until it is applied. What cannot be
// had is a *messages.Error, errNoRecord that there is no such job.
func (p *Placer) await(ctx context.Context, job string, ev placement.Event) error {
	done := make(chan error, 1)
	p.lanes.put(job, func() { done <- p.apply(p.ctx, job, ev) })
	select {
	case err := <-done:
		if _, said := errors.AsType[*messages.Error](err); err == nil || said || errors.Is(err, errNoRecord) {
			return err
		}
		return unavailable(err)
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

func (p *Placer) explain(ctx context.Context, req messages.ExplainRequest) (any, error) {
	if req.Job != nil {
		return whole(placement.Explain(req.Job, nil, p.fleet.snapshot(), time.Now())), nil
	}
	rec, err := p.find(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return whole(placement.ExplainRecord(rec, p.fleet.snapshot(), time.Now())), nil
}

// whole is the answer as far as a message has room for it: the nodes that would
// do come first.
func whole(reply messages.ExplainReply) messages.ExplainReply {
	cut, next := messages.Paginate(reply.Nodes, messages.Page{Limit: len(reply.Nodes) + 1}, func(v messages.NodeVerdict) string { return v.Node })
	if next != "" {
		reply.More = len(reply.Nodes) - len(cut)
		reply.Nodes = cut
	}
	return reply
}

func (p *Placer) info(ctx context.Context, _ messages.EmptyRequest) (any, error) {
	reply := messages.PlacerInfoReply{
		V: messages.Version, ID: p.cfg.ID, Version: p.cfg.Version,
		Placers: p.livePlacers(), Counts: p.records.counts(),
	}
	if key, err := p.xkey(ctx); err == nil {
		reply.XKey = key.Public()
	} else {
		p.log.Warn("the placers' xkey is not told just now", "error", err)
	}
	return reply, nil
}

func unavailable(err error) error {
	return &messages.Error{Code: messages.CodeUnavailable, Message: messages.TruncateReason(err.Error()), Retryable: true}
}
