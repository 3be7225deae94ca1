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
		messages.PlacerCancel:  answer(p.cancelJob),
		messages.PlacerExplain: answer(p.explain),
		messages.PlacerNodes:   answer(p.listNodes),
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
		if handle == nil {
			handle = notYet(verb)
		}
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

// notYet answers the verbs that come with a later version.
func notYet(verb messages.PlacerVerb) func(context.Context, []byte) (any, error) {
	return func(context.Context, []byte) (any, error) {
		return nil, &messages.Error{Code: messages.CodeNotImplemented, Message: fmt.Sprintf("this version does not answer %q yet", verb)}
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
	found, err := p.jobs.Get(ctx, id)
	switch {
	case err == nil:
		return decodeRecord(found.Value)
	case !errors.Is(err, bus.ErrNotFound):
		return nil, unavailable(err)
	}
	rec, err := p.ended(ctx, id)
	if err != nil {
		return nil, unavailable(err)
	}
	if rec == nil {
		return nil, &messages.Error{Code: messages.CodeNotFound, Field: "id", Message: fmt.Sprintf("no job %q is known; ended ones are kept for 7 days", id)}
	}
	return rec, nil
}

// cancelJob asks for a job's end and answers with its record as it is then.
func (p *Placer) cancelJob(ctx context.Context, req messages.JobRequest) (any, error) {
	if _, err := p.find(ctx, req.ID); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	p.lanes.put(req.ID, func() { done <- p.apply(p.ctx, req.ID, placement.CancelAsked{Reason: req.Reason}) })
	select {
	case err := <-done:
		if err != nil && !errors.Is(err, errNoRecord) {
			return nil, unavailable(err)
		}
		return p.find(ctx, req.ID)
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
}

func (p *Placer) explain(ctx context.Context, req messages.ExplainRequest) (any, error) {
	if req.Job != nil {
		return placement.Explain(req.Job, nil, p.fleet.snapshot(), time.Now()), nil
	}
	rec, err := p.find(ctx, req.ID)
	if err != nil {
		return nil, err
	}
	return placement.Explain(&rec.Job, rec.Platforms, p.fleet.snapshot(), time.Now()), nil
}

func (p *Placer) forgetNode(_ context.Context, req messages.NodeRequest) (any, error) {
	if !p.fleet.forget(req.Node) {
		return nil, &messages.Error{Code: messages.CodeNotFound, Field: "node", Message: fmt.Sprintf("no node %q has been heard of", req.Node)}
	}
	return messages.DrainReply{V: messages.Version, Node: req.Node}, nil
}

func (p *Placer) info(context.Context, messages.EmptyRequest) (any, error) {
	return messages.PlacerInfoReply{
		V: messages.Version, ID: p.cfg.ID, Version: p.cfg.Version,
		Placers: p.livePlacers(), Counts: p.records.counts(),
	}, nil
}

func unavailable(err error) error {
	return &messages.Error{Code: messages.CodeUnavailable, Message: messages.TruncateReason(err.Error()), Retryable: true}
}
