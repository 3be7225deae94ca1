package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// link is one pipe that has been dialled, and what is called over it.
type link struct {
	version string // of the far end
	pipe    *conn
	grpc    *grpc.ClientConn
	stay    *call // lasts as long as the link
}

// dial opens a pipe and waits for the far end's first word.
func (r *Runtime) dial(ctx context.Context) (*link, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, r.cfg.FirstWord, fmt.Errorf("it has not answered within %v", r.cfg.FirstWord))
	defer cancel()
	pipe, err := r.cfg.Dial(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { pipe.Close() })
	in := bufio.NewReader(pipe)
	h, junk, err := readHello(in)
	if junk != "" {
		r.log.Info("before the delegate has answered there came", "text", junk)
	}
	if !stop() {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		pipe.Close()
		return nil, err
	}
	l := &link{version: h.Version, pipe: newConn(in, pipe)}
	if err := l.begin(ctx, r.cfg.Quiet); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// begin begins to speak gRPC, and waits for the first answer.
func (l *link) begin(ctx context.Context, quiet time.Duration) error {
	once := make(chan net.Conn, 1)
	once <- l.pipe
	var err error
	l.grpc, err = grpc.NewClient("passthrough:///delegate",
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			select {
			case c := <-once:
				return c, nil
			default:
				return nil, net.ErrClosed // another link dials anew
			}
		}),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(codec{}), grpc.MaxCallRecvMsgSize(mostBytes), grpc.MaxCallSendMsgSize(mostBytes)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: quiet, Timeout: quiet, PermitWithoutStream: true}),
		grpc.WithIdleTimeout(0), grpc.WithDisableServiceConfig(), grpc.WithDisableRetry(),
	)
	if err != nil {
		return err
	}
	// The call lasts longer than ctx, which bounds its first answer.
	l.stay, err = l.open(context.WithoutCancel(ctx), cut, "Stay", nil)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, l.stay.end)
	if _, err := l.stay.receive(); err != nil {
		return err
	}
	if !stop() {
		return context.Cause(ctx)
	}
	return nil
}

// watch returns when the link has ended, and is why. When life ends it says
// goodbye, and waits for the far end to have heard it.
func (l *link) watch(life context.Context) error {
	heard := make(chan struct{})
	defer close(heard)
	defer context.AfterFunc(life, func() {
		_ = l.stay.stream.CloseSend()
		select {
		case <-heard:
		case <-time.After(farewellIn):
			l.stay.end()
		}
	})()
	m, err := l.stay.receive()
	switch {
	case life.Err() != nil:
		return errClosed
	case err == nil && m.Error != nil:
		return fmt.Errorf("it said goodbye: %w", m.Error.err())
	}
	if why := l.pipe.why(); why != nil {
		err = why
	}
	return fmt.Errorf("it is gone without a goodbye: %w", errors.Join(err))
}

// close ends the pipe, and what is still called over it.
func (l *link) close() {
	if l.stay != nil {
		l.stay.end()
	}
	if l.grpc != nil {
		_ = l.grpc.Close()
	}
	_ = l.pipe.Close()
}
