package natsbus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/internal/gate"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Serve implements bus.Core by a NATS micro service, which
// `nats micro ls | info | stats | ping` show.
func (b *Bus) Serve(s bus.Service) (bus.Subscription, error) {
	added, err := micro.AddService(b.nc, micro.Config{
		Name: s.Name, Version: s.Version, Description: s.Description, Metadata: s.Metadata,
	})
	if err != nil {
		return nil, wrap(err, "service %s %s", s.Name, s.Version)
	}
	served := &service{bus: b, micro: added}
	for _, e := range s.Endpoints {
		if err := served.add(e); err != nil {
			return nil, errors.Join(wrap(err, "service %s: endpoint %s on %s", s.Name, e.Name, e.Subject), added.Stop())
		}
	}
	b.settle()
	if err := b.track(served); err != nil {
		return nil, wrap(err, "service %s", s.Name)
	}
	return served, nil
}

// service is one that is being served.
type service struct {
	bus   *Bus
	micro micro.Service
	gate  gate.Gate
}

func (s *service) add(e bus.Endpoint) error {
	opts := []micro.EndpointOpt{
		micro.WithEndpointSubject(e.Subject),
		micro.WithEndpointMetadata(e.Metadata),
		micro.WithEndpointPendingLimits(pendingMessages, pendingBytes),
	}
	if e.Queue == "" {
		opts = append(opts, micro.WithEndpointQueueGroupDisabled())
	} else {
		opts = append(opts, micro.WithEndpointQueueGroup(e.Queue))
	}
	return s.micro.AddEndpoint(e.Name, micro.HandlerFunc(func(r micro.Request) {
		if !s.gate.Enter() {
			s.decline(r)
			return
		}
		defer s.gate.Leave()
		e.Handler(request{r})
	}), opts...)
}

// decline answers a request that came in while the service stops as NATS itself
// would a moment later: nobody has heard it.
func (s *service) decline(r micro.Request) {
	if r.Reply() == "" {
		return
	}
	none := micro.Headers{messages.HeaderStatus: []string{noResponders}}
	if err := r.Respond(nil, micro.WithHeaders(none)); err != nil {
		s.bus.log.Debug("a request came too late", "subject", r.Subject(), "error", err)
	}
}

// Stop implements bus.Subscription. Called by a handler itself it can only
// return when ctx ends.
func (s *service) Stop(ctx context.Context) error {
	s.gate.Shut()
	s.bus.untrack(s)
	if err := s.micro.Stop(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("stopping service %s: %w", s.micro.Info().Name, err)
	}
	return s.gate.Wait(ctx)
}

// request is one to an endpoint.
type request struct{ micro.Request }

func (r request) Message() bus.Message {
	return bus.Message{
		Subject: r.Subject(), Reply: r.Reply(),
		Header: headerFromNATS(nats.Header(r.Headers())), Data: r.Data(),
	}
}

func (r request) Respond(m bus.Message) error {
	var opts []micro.RespondOpt
	if len(m.Header) > 0 {
		opts = append(opts, micro.WithHeaders(micro.Headers(headerToNATS(m.Header))))
	}
	return wrap(r.Request.Respond(m.Data, opts...), "answer on %s", r.Subject())
}

func (r request) Fail(code, description string, body []byte, header bus.Header) error {
	var opts []micro.RespondOpt
	if len(header) > 0 {
		opts = append(opts, micro.WithHeaders(micro.Headers(headerToNATS(header))))
	}
	return wrap(r.Error(code, description, body, opts...), "answer on %s", r.Subject())
}
