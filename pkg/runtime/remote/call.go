package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// settleWithin is how long a call that was cancelled waits for its end at the
// far end.
const settleWithin = 5 * time.Second

// manner is what becomes of a call that is given up.
type manner bool

const (
	// cut is for calls that change nothing, and for those that send a stream,
	// behind which no word of it would come through: the caller waits for nobody.
	cut manner = false
	// settled is for all others: the caller has to know what was done.
	settled manner = true
)

// call is an operation under way at the far end.
type call struct {
	link   *link
	op     string
	manner manner
	ctx    context.Context    // the caller's
	cancel context.CancelFunc // of the stream
	unhook func() bool        // the stream's end from the caller's
	stream grpc.ClientStream
	over   bool // at the far end, too
}

// open begins a call on the link there is now.
func (r *Runtime) open(ctx context.Context, how manner, op string, args ...any) (*call, error) {
	l, err := r.current()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return l.open(ctx, how, op, nil, args...)
}

var bothWays = &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}

// open begins a call; whoever gets it has to close it. data goes beside the
// arguments.
func (l *link) open(ctx context.Context, how manner, op string, data []byte, args ...any) (*call, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if args == nil {
		args = []any{}
	}
	c := &call{link: l, op: op, manner: how, ctx: ctx}
	// Neither a deadline travels nor a cancellation by itself: see giveUp.
	within, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	var err error
	if c.stream, err = l.grpc.NewStream(within, bothWays, "/"+service+"/"+op); err != nil {
		cancel()
		return nil, c.failed(err)
	}
	// io.EOF says that it has ended already, and what there is to receive says how.
	if err := c.send(&message{Args: args, Data: data}); err != nil && !errors.Is(err, io.EOF) {
		cancel()
		return nil, c.failed(err)
	}
	c.unhook = context.AfterFunc(ctx, c.giveUp)
	return c, nil
}

// end ends the call at this end.
func (c *call) end() {
	c.unhook()
	c.cancel()
}

// send sends a message.
func (c *call) send(m *message) error { return c.stream.SendMsg(m) }

// giveUp cancels the call. The far end of one that is to be settled ends it, and
// answers: it may have been done.
func (c *call) giveUp() {
	if c.manner == cut {
		c.cancel()
		return
	}
	_ = c.stream.CloseSend() // never fails
	time.AfterFunc(settleWithin, c.cancel)
}

// close lets go of a call. It returns when a call that is to be settled is over.
func (c *call) close() {
	defer c.end()
	if c.over {
		return
	}
	c.giveUp()
	for c.stream.RecvMsg(&received{}) == nil {
		continue
	}
}

// receive is the next message, or io.EOF at the end of a call, or why the pipe
// has none.
func (c *call) receive() (*received, error) {
	var m received
	err := c.stream.RecvMsg(&m)
	switch {
	case err == nil:
		return &m, nil
	case errors.Is(err, io.EOF):
		c.over = true
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

// read reads a message. That the far end was cancelled is what the caller wanted,
// or its time was over.
func (c *call) read(m *received, value any) error {
	c.over = c.over || m.Answer
	err := m.decode(value)
	if own := c.ctx.Err(); own != nil && errors.Is(err, context.Canceled) && !errors.Is(err, own) {
		return fmt.Errorf("%s: %w", c.op, own)
	}
	return err
}

// failed is an error of the pipe as the caller of an operation gets it.
func (c *call) failed(err error) error {
	if own := c.ctx.Err(); own != nil {
		return fmt.Errorf("%s: %w", c.op, own)
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
