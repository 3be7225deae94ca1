package remote

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// service is what the far end serves; its methods are the operations.
const service = "shunt.runtime.Runtime"

// server is the far end.
type server struct {
	rt  runtime.Runtime
	log *slog.Logger

	leaving chan struct{} // closed when the far end leaves
	cause   error         // why; read once that is closed

	mu       sync.Mutex
	programs map[uint64]*program // sessions, by their numbers
	last     uint64              // number that was given
}

func newServer(rt runtime.Runtime, log *slog.Logger) *server {
	return &server{rt: rt, log: log, leaving: make(chan struct{}), programs: map[uint64]*program{}}
}

// handler does one call. Its own error is of the pipe; what the runtime answers,
// be it an error, is sent.
type handler func(ctx context.Context, s *server, c *incoming) error

// takesInput are the methods that are sent more than their arguments.
var takesInput = map[string]bool{"LoadImages": true, "ImportImage": true, "CopyIn": true, "Stay": true}

// description is the service, as gRPC takes it.
func description() *grpc.ServiceDesc {
	d := &grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil)}
	for _, methods := range []map[string]handler{operations, further} {
		for name, do := range methods {
			d.Streams = append(d.Streams, grpc.StreamDesc{
				StreamName: name, ServerStreams: true, ClientStreams: true,
				Handler: func(s any, stream grpc.ServerStream) error { return s.(*server).serve(name, do, stream) },
			})
		}
	}
	return d
}

// incoming is a call that the near end has made.
type incoming struct {
	stream grpc.ServerStream
	first  received
}

// serve does a call. A near end that has sent all, and ends what it sends all the
// same, gives the call up; it still hears the answer.
func (s *server) serve(name string, do handler, stream grpc.ServerStream) error {
	c := &incoming{stream: stream}
	if err := stream.RecvMsg(&c.first); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	if !takesInput[name] {
		go func() {
			defer cancel()
			_ = stream.RecvMsg(&received{})
		}()
	}
	return do(ctx, s, c)
}

// send sends one message of a call.
func (c *incoming) send(m *message) error { return c.stream.SendMsg(m) }

// answer ends what there is to say in a call.
func (c *incoming) answer(value any, err error) error {
	return c.send(&message{Value: value, Error: failed(err), Answer: true})
}

// further are the methods that are not the port's own.
var further = map[string]handler{
	"Stay":               stay,
	"Session.Write":      sessionWrite,
	"Session.CloseWrite": sessionCloseWrite,
	"Session.Resize":     sessionResize,
	"Session.Signal":     sessionSignal,
	"Session.Close":      sessionClose,
}

// stay is the call that lasts as long as both ends are there. Whoever leaves in
// good order says so in it: the near end by ending what it sends, this one by
// its answer.
func stay(_ context.Context, s *server, c *incoming) error {
	if err := c.send(&message{}); err != nil {
		return err
	}
	gone := make(chan error, 1)
	go func() { gone <- c.stream.RecvMsg(&received{}) }()
	select {
	case <-s.leaving:
		return c.answer(nil, s.cause)
	case err := <-gone:
		if !errors.Is(err, io.EOF) {
			return err
		}
		s.log.Info("the near end says goodbye")
		return nil
	}
}

// leave says goodbye, and waits until that was heard.
func (s *server) leave(cause error, closed <-chan struct{}) {
	if cause == nil || errors.Is(cause, context.Canceled) {
		cause = errors.New("it was told to leave")
	}
	s.cause = cause
	close(s.leaving)
	select {
	case <-closed:
	case <-time.After(farewellIn):
	}
}
