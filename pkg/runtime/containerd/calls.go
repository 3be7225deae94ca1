//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/containerd/errdefs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// longer is how many times CallTimeout a call may take whose work grows with
// an image: unpacking a layer, writing one, sweeping the store.
const longer = 10

var longCalls = []string{
	"Content/Write", "Diff/", "Images/Delete", "Leases/Delete", "Snapshots/Remove", "Snapshots/Cleanup",
}

// endless are the calls that take as long as a container runs. Who makes them
// looks now and then whether there is still something to wait for.
var endless = []string{"Tasks/Wait", "Events/Subscribe"}

// callLimits bounds how long containerd may take to answer. One that hangs, or
// has lost a call, is as good as one that is away: what waits for it is tried
// again, or fails with an error that says so.
type callLimits struct{ ordinary time.Duration }

// of is the limit of a call; 0 is none.
func (l callLimits) of(method string) time.Duration {
	service, call, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	name := service[strings.LastIndexByte(service, '.')+1:] + "/" + call
	switch {
	case hasAnyPrefix(name, endless):
		return 0
	case hasAnyPrefix(name, longCalls), hasAnyPrefix(name, slowCalls):
		return longer * l.ordinary
	}
	return l.ordinary
}

func hasAnyPrefix(name string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

func (l callLimits) dialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(l.unary), grpc.WithChainStreamInterceptor(l.stream)}
}

func (l callLimits) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	callCtx, cancel := undated(ctx)
	defer cancel()
	limit := l.of(method)
	if limit > 0 {
		callCtx, cancel = context.WithTimeout(callCtx, limit)
		defer cancel()
	}
	err := invoke(callCtx, method, req, reply, cc, opts...)
	switch {
	case err != nil && ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err()
	case limit > 0 && status.Code(err) == codes.DeadlineExceeded && callCtx.Err() != nil:
		return noAnswer(method, limit)
	}
	return err
}

// undated is a context that ends with another, and does not tell when. Whoever is
// told stops what it does when the time is over, and may say so, in words of its
// own, before the caller's clock has come as far.
func undated(ctx context.Context) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	return inner, func() { stop(); cancel() }
}

func noAnswer(method string, limit time.Duration) error {
	return status.Errorf(codes.Unavailable, "containerd has not answered %s within %s", method, limit)
}

// stream bounds how long each answer in a stream is waited for, not how long
// the stream is.
func (l callLimits) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	limit := l.of(method)
	if limit == 0 {
		return open(ctx, desc, cc, method, opts...)
	}
	streamCtx, cancel := context.WithCancel(ctx)
	s, err := open(streamCtx, desc, cc, method, opts...)
	if err != nil {
		cancel()
		return nil, err
	}
	return &limitedStream{ClientStream: s, caller: ctx, cancel: cancel, method: method, limit: limit}, nil
}

type limitedStream struct {
	grpc.ClientStream
	caller context.Context
	cancel context.CancelFunc // ends the stream
	method string
	limit  time.Duration
}

func (s *limitedStream) RecvMsg(m any) error {
	timer := time.AfterFunc(s.limit, s.cancel)
	err := s.ClientStream.RecvMsg(m)
	late := !timer.Stop()
	if err == nil {
		return nil
	}
	s.cancel() // a stream ends with its first error, io.EOF among them
	if late && s.caller.Err() == nil && status.Code(err) == codes.Canceled {
		return noAnswer(s.method, s.limit)
	}
	return err
}

// settleTime is how long what was begun may go on when its caller has given up.
const settleTime = 3 * time.Second

// cleanup is a context for steps that must not be cut off between, and for
// undoing what failed: it ends a while after the caller's, or by itself.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(settleTime)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-out.Done():
		}
	})
	return out, func() { stop(); cancel() }
}

// givenUp is err, or, where what the caller asked for was cut off because it has
// given up, the caller's reason.
func givenUp(caller context.Context, err error) error {
	if caller.Err() == nil || !errors.Is(native(err), context.Canceled) {
		return err
	}
	return fmt.Errorf("containerd has not answered in time: %w", caller.Err())
}

// restartTime is how long containerd may be away for what insists on it: longer
// than a restart takes.
const restartTime = 10 * time.Second

// insist does something again while containerd is away, until ctx ends or for
// as long as a restart takes. What is done must bear to be done twice: a call
// that failed may have had its effect.
func (r *Runtime) insist(ctx context.Context, do func() error) error {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval = 20 * time.Millisecond
	policy.MaxInterval = time.Second
	var last error
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		last = native(do())
		if last != nil && !errdefs.IsUnavailable(last) {
			return struct{}{}, backoff.Permanent(last)
		}
		return struct{}{}, last
	}, backoff.WithBackOff(policy), backoff.WithMaxElapsedTime(min(restartTime, r.cfg.CallTimeout)))
	if err != nil {
		return last // and not that ctx has ended meanwhile
	}
	return nil
}
