package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/containerd/errdefs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// settleWithin is how long a call that was cancelled waits for its end at the
// far end.
const settleWithin = 5 * time.Second

// call is an operation under way at the far end.
type call struct {
	link   *link
	op     string
	number uint64
	ctx    context.Context // the caller's
	cancel context.CancelFunc
	stream grpc.ClientStream
	over   bool // at the far end, too
}

// open begins a call on the link there is now.
func (r *Runtime) open(ctx context.Context, op string, args ...any) (*call, error) {
	l, err := r.current()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return l.open(ctx, op, args...)
}

// open begins a call; whoever gets it has to close it.
func (l *link) open(ctx context.Context, op string, args ...any) (*call, error) {
	return l.openWith(ctx, op, nil, args...)
}

var bothWays = &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}

// openWith is open with bytes beside the arguments.
func (l *link) openWith(ctx context.Context, op string, data []byte, args ...any) (*call, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if args == nil {
		args = []any{}
	}
	c := &call{link: l, op: op, number: l.calls.Add(1), ctx: ctx}
	// A deadline does not travel: it would come to pass at both ends at about the
	// same time, and the caller may be told of it before it has.
	within, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	c.cancel = func() { stop(); cancel() }
	within = metadata.AppendToOutgoingContext(within, numberKey, strconv.FormatUint(c.number, 10))
	var err error
	if c.stream, err = l.grpc.NewStream(within, bothWays, "/"+service+"/"+op); err != nil {
		c.cancel()
		return nil, c.failed(err)
	}
	if err := c.send(&message{Args: args, Data: data}); err != nil && !errors.Is(err, io.EOF) {
		c.close()
		return nil, c.failed(err)
	}
	return c, nil
}

// send sends a message. io.EOF says that the call has ended, and what it is to
// receive says how.
func (c *call) send(m *message) error { return c.stream.SendMsg(m) }

// receive is the next message, or io.EOF at the end of a call, or why the pipe
// has none.
func (c *call) receive() (*received, error) {
	var m received
	err := c.stream.RecvMsg(&m)
	if err == nil {
		return &m, nil
	}
	c.over = errors.Is(err, io.EOF)
	if c.over {
		return nil, io.EOF
	}
	return nil, c.failed(err)
}

// answer reads a call's answer into value, and gives the error that came with it.
func (c *call) answer(value any) error {
	m, err := c.receive()
	if errors.Is(err, io.EOF) {
		return c.silent()
	}
	if err != nil {
		return err
	}
	return c.read(m, value)
}

// silent is the error of a call that has ended without its answer.
func (c *call) silent() error {
	return fmt.Errorf("%s: the delegate has ended it without an answer: %w", c.op, errdefs.ErrInternal)
}

// read reads an answer.
func (c *call) read(m *received, value any) error {
	c.over = c.over || m.Answer
	return m.decode(value)
}

// failed is an error of the pipe as the caller of an operation gets it.
func (c *call) failed(err error) error {
	if over := c.ctx.Err(); over != nil {
		return fmt.Errorf("%s: %w", c.op, over)
	}
	said, _ := status.FromError(err)
	switch said.Code() {
	case codes.Unimplemented:
		return fmt.Errorf("%s: the delegate, of version %s, does not know it: %w", c.op, c.link.version, errdefs.ErrNotImplemented)
	case codes.InvalidArgument:
		return fmt.Errorf("%s: the delegate, of version %s: %s: %w", c.op, c.link.version, said.Message(), errdefs.ErrInvalidArgument)
	case codes.ResourceExhausted, codes.Internal:
		return fmt.Errorf("%s: %s: %w", c.op, said.Message(), errdefs.ErrInternal)
	}
	if why := c.link.pipe.why(); why != nil {
		err = why
	}
	// Its text alone: an end of file means something else to who called.
	return fmt.Errorf("%s: the delegate has gone away in the middle of it (%s): %w", c.op, err.Error(), errdefs.ErrUnavailable)
}

// close lets go of a call: one that is not over is cancelled.
func (c *call) close() {
	c.cancel()
	if c.over {
		return
	}
	for { // until gRPC has let go of it as well: what is called next comes after
		if c.stream.RecvMsg(&received{}) != nil {
			return
		}
	}
}

// settle is close for a call that may change something: it returns when the far
// end has done with it.
func (c *call) settle() {
	over := c.over
	c.close()
	if over {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), settleWithin)
	defer cancel()
	s, err := c.link.open(ctx, "Settle", c.number)
	if err != nil {
		return
	}
	defer s.close()
	_ = s.answer(nil)
}
