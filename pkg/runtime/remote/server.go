package remote

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// service is what the far end serves; its methods are the operations.
const service = "shunt.runtime.Runtime"

// numberKey is the header with a call's number: the near end's, which are all
// different.
const numberKey = "shunt-call"

// server is the far end.
type server struct {
	rt  runtime.Runtime
	log *slog.Logger

	leaving chan struct{} // closed when the far end leaves
	cause   error         // why; read once that is closed

	mu       sync.Mutex
	running  map[uint64]chan struct{} // calls, each with what is closed at its end
	programs map[uint64]*program      // sessions, by the call that began them
}

func newServer(rt runtime.Runtime, log *slog.Logger) *server {
	return &server{
		rt: rt, log: log, leaving: make(chan struct{}),
		running: map[uint64]chan struct{}{}, programs: map[uint64]*program{},
	}
}

// handler does one call. Its own error is of the pipe; what the runtime answers,
// be it an error, is sent.
type handler func(ctx context.Context, s *server, c *incoming) error

// description is the service, as gRPC takes it.
func description() *grpc.ServiceDesc {
	d := &grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil)}
	for _, methods := range []map[string]handler{operations, further} {
		for name, do := range methods {
			d.Streams = append(d.Streams, grpc.StreamDesc{
				StreamName: name, ServerStreams: true, ClientStreams: true,
				Handler: func(s any, stream grpc.ServerStream) error { return s.(*server).serve(do, stream) },
			})
		}
	}
	return d
}

// incoming is a call that the near end has made.
type incoming struct {
	stream grpc.ServerStream
	number uint64
	first  received
}

func (s *server) serve(do handler, stream grpc.ServerStream) error {
	c := &incoming{stream: stream}
	md, _ := metadata.FromIncomingContext(stream.Context())
	if said := md.Get(numberKey); len(said) == 1 {
		c.number, _ = strconv.ParseUint(said[0], 10, 64)
	}
	if c.number == 0 {
		return status.Errorf(codes.InvalidArgument, "the header %s is %q; want one number above 0", numberKey, md.Get(numberKey))
	}
	defer s.begin(c.number)()
	if err := stream.RecvMsg(&c.first); err != nil {
		return err
	}
	return do(stream.Context(), s, c)
}

// begin notes that a call runs, until what it gives is called.
func (s *server) begin(number uint64) (end func()) {
	over := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[number] = over
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.running, number)
		close(over)
	}
}

// send sends one message of a call.
func (c *incoming) send(m *message) error { return c.stream.SendMsg(m) }

// answer ends what there is to say in a call.
func (c *incoming) answer(value any, err error) error {
	return c.send(&message{Value: value, Error: failed(err), Answer: true})
}

// further are the methods that are not the port's own.
var further = map[string]handler{
	"Settle":             settle,
	"Stay":               stay,
	"Session.Write":      sessionWrite,
	"Session.CloseWrite": sessionCloseWrite,
	"Session.Resize":     sessionResize,
	"Session.Signal":     sessionSignal,
	"Session.Close":      sessionClose,
}

// settle answers when a call has ended.
func settle(ctx context.Context, s *server, c *incoming) error {
	var number uint64
	if err := c.args(&number); err != nil {
		return err
	}
	s.mu.Lock()
	over := s.running[number]
	s.mu.Unlock()
	if over != nil {
		select {
		case <-over:
		case <-ctx.Done():
		}
	}
	return c.answer(nil, nil)
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
