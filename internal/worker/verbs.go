package worker

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/version"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// verbTimeout bounds how long a verb with a single answer may take.
const verbTimeout = 30 * time.Second

// serve answers commands and the workers' verbs.
func (w *Worker) serve() (bus.Subscription, error) {
	root, node := w.cfg.Root, w.cfg.Node
	service := bus.Service{
		Name: "shunt-worker", Version: version.Semver(w.cfg.Version),
		Description: "runs shunt's jobs on a node",
		Metadata:    map[string]string{"node": node, "incarnation": w.Incarnation()},
		Endpoints: []bus.Endpoint{{
			Name: "cmd", Subject: root.Command(node),
			Handler: w.takeCommand,
		}},
	}
	answers := w.answers()
	for _, verb := range messages.WorkerVerbs() {
		handle := answers[verb]
		service.Endpoints = append(service.Endpoints, bus.Endpoint{
			Name: string(verb), Subject: root.NodeVerb(node, verb),
			Handler: func(r bus.Request) { w.work.Go(func() { handle(r) }) },
		})
	}
	return w.cfg.Bus.Serve(service)
}

// answers are the workers' verbs.
func (w *Worker) answers() map[messages.WorkerVerb]func(bus.Request) {
	return map[messages.WorkerVerb]func(bus.Request){
		messages.VerbList:    single(w, w.list),
		messages.VerbInspect: single(w, w.inspect),
		messages.VerbState:   single(w, w.state),
		messages.VerbImages:  single(w, w.images),
		messages.VerbPeers:   single(w, w.listPeers),
		messages.VerbInfo:    single(w, w.info),
		messages.VerbAttempt: single(w, w.attempt),
		messages.VerbStats:   w.statsVerb,
		messages.VerbLogs:    streaming(w, w.logs),
		messages.VerbExec:    streaming(w, w.exec),
		messages.VerbWait:    waiting(w, w.wait),
		messages.VerbEvents:  streaming(w, w.events),
		messages.VerbDrain:   waiting(w, w.drainVerb),
		messages.VerbUndrain: single(w, w.undrainVerb),
	}
}

// single makes a handler of a method that gives one answer.
func single[T any, P interface {
	*T
	messages.Validator
}](w *Worker, f func(context.Context, T) (any, error)) func(bus.Request) {
	return answering[T, P](w, verbTimeout, f)
}

// answering makes a handler of a method that gives one answer within a time.
func answering[T any, P interface {
	*T
	messages.Validator
}](w *Worker, within time.Duration, f func(context.Context, T) (any, error)) func(bus.Request) {
	return func(r bus.Request) {
		ctx, cancel := context.WithTimeout(w.ctx, within)
		defer cancel()
		req, err := messages.DecodeRequest[T, P](r.Message().Data)
		var value any
		if err == nil {
			value, err = f(ctx, req)
		}
		var data []byte
		if err == nil {
			data, err = messages.Encode(value)
		}
		if err != nil {
			w.fail(r, err)
			return
		}
		if err := r.Respond(bus.Message{Data: data}); err != nil {
			w.log.Warn("a request was not answered", "subject", r.Message().Subject, "error", err)
		}
	}
}

// fail answers a request with an error.
func (w *Worker) fail(r bus.Request, err error) {
	e := runtime.ToWire(err)
	if err := r.Fail(strconv.Itoa(e.Code.HTTPStatus()), e.Error(), nil, nil); err != nil {
		w.log.Warn("a request was not answered", "subject", r.Message().Subject, "error", err)
	}
}

func (w *Worker) attempt(_ context.Context, req messages.AttemptRequest) (any, error) {
	a, err := w.cfg.Journal.Attempt(req.Job, req.Attempt)
	if err != nil {
		return nil, &messages.Error{
			Code: messages.CodeNotFound, Field: "job",
			Message: fmt.Sprintf("this node's journal has no attempt %d of job %q; ended ones are kept for a day", req.Attempt, req.Job),
		}
	}
	// With its job, so that placers which have lost their records can adopt it.
	last, body := *a.Last, a.Job
	if body.Op != messages.OpRevoke {
		body.Attempt = 0
		last.JobBody, last.Fingerprint = &body, fingerprintOf(&a)
	}
	return last, nil
}

func (w *Worker) info(ctx context.Context, _ messages.EmptyRequest) (any, error) {
	reply := messages.InfoReply{
		V: messages.Version, Node: w.cfg.Node, Version: w.cfg.Version, Incarnation: w.Incarnation(),
		Policy: w.cfg.Policy.Describe(), XKey: w.cfg.Key.Public(),
	}
	for _, m := range w.cfg.Runtime.Members(ctx) {
		info := messages.RuntimeInfo{Name: m.Name, Platforms: m.Platforms}
		if info.Platforms == nil {
			info.Platforms = []messages.Platform{}
		}
		if m.Err != nil {
			info.Error = messages.TruncateReason(m.Err.Error())
		}
		if rt, ok := w.cfg.Runtime.Member(m.Name); ok {
			if d, err := rt.Describe(ctx); err == nil {
				info.Kind, info.Version, info.Warnings = d.Kind, d.Version, d.Warnings
			}
		}
		reply.Runtimes = append(reply.Runtimes, info)
	}
	return reply, nil
}
