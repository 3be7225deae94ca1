package remote

import (
	"context"
	"encoding/json"
	"iter"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// port is what method expressions of the operations begin with.
type port = runtime.Runtime

// args reads the arguments of a call.
func (c *incoming) args(into ...any) error {
	if len(c.first.Args) != len(into) {
		return status.Errorf(codes.InvalidArgument, "%d arguments have come, want %d", len(c.first.Args), len(into))
	}
	for i, v := range into {
		if err := json.Unmarshal(c.first.Args[i], v); err != nil {
			return status.Errorf(codes.InvalidArgument, "argument %d: %v", i+1, err)
		}
	}
	return nil
}

// ask0, ask1 and ask2 serve operations with a result and so many arguments.

func ask0[T any](method func(port, context.Context) (T, error)) handler {
	return func(ctx context.Context, s *server, c *incoming) error {
		if err := c.args(); err != nil {
			return err
		}
		v, err := method(s.rt, ctx)
		return c.answer(v, err)
	}
}

func ask1[A, T any](method func(port, context.Context, A) (T, error)) handler {
	return func(ctx context.Context, s *server, c *incoming) error {
		var a A
		if err := c.args(&a); err != nil {
			return err
		}
		v, err := method(s.rt, ctx, a)
		return c.answer(v, err)
	}
}

func ask2[A, B, T any](method func(port, context.Context, A, B) (T, error)) handler {
	return func(ctx context.Context, s *server, c *incoming) error {
		var a A
		var b B
		if err := c.args(&a, &b); err != nil {
			return err
		}
		v, err := method(s.rt, ctx, a, b)
		return c.answer(v, err)
	}
}

// do1, do2 and do3 serve operations without a result.

func do1[A any](method func(port, context.Context, A) error) handler {
	return func(ctx context.Context, s *server, c *incoming) error {
		var a A
		if err := c.args(&a); err != nil {
			return err
		}
		return c.answer(nil, method(s.rt, ctx, a))
	}
}

func do2[A, B any](method func(port, context.Context, A, B) error) handler {
	return func(ctx context.Context, s *server, c *incoming) error {
		var a A
		var b B
		if err := c.args(&a, &b); err != nil {
			return err
		}
		return c.answer(nil, method(s.rt, ctx, a, b))
	}
}

func do3[A, B, C any](method func(port, context.Context, A, B, C) error) handler {
	return func(ctx context.Context, s *server, in *incoming) error {
		var a A
		var b B
		var c C
		if err := in.args(&a, &b, &c); err != nil {
			return err
		}
		return in.answer(nil, method(s.rt, ctx, a, b, c))
	}
}

// sequence serves an operation whose result is a sequence, item by item. It ends
// with the call; there is no answer.
func sequence[A, B, T any](method func(port, context.Context, A, B) iter.Seq2[T, error], bytes func(*T) *[]byte) handler {
	return func(ctx context.Context, s *server, c *incoming) error {
		var a A
		var b B
		if err := c.args(&a, &b); err != nil {
			return err
		}
		for item, err := range method(s.rt, ctx, a, b) {
			if err == nil && ctx.Err() != nil { // nobody wants the rest
				return c.answer(nil, ctx.Err())
			}
			if err := c.item(&item, bytes(&item), err); err != nil {
				return err
			}
		}
		return nil
	}
}

// item sends one item of a sequence, and its bytes beside it.
func (c *incoming) item(item any, bytes *[]byte, err error) error {
	m := &message{Value: item, Error: failed(err)}
	if bytes != nil {
		m.Data, *bytes = *bytes, nil
	}
	return c.send(m)
}

// pull serves Pull. Progress is told beside it, the newest at a time, so that a
// near end that is slow does not slow it down.
func pull(ctx context.Context, s *server, c *incoming) error {
	var ref string
	var opts runtime.PullOptions
	var wanted bool
	if err := c.args(&ref, &opts, &wanted); err != nil {
		return err
	}
	told := func() {}
	if wanted {
		opts.Progress, told = c.progress()
	}
	info, err := s.rt.Pull(ctx, ref, opts)
	told()
	return c.answer(info, err)
}

// progress sends what a pull tells, the newest first where they come faster than
// the pipe takes them; told says that the pull is over, which whoever fetches for
// several of them may not know yet.
func (c *incoming) progress() (tell func(runtime.PullProgress), told func()) {
	news := make(chan runtime.PullProgress, 1)
	over, sent := make(chan struct{}), make(chan struct{})
	send := func(p runtime.PullProgress) { _ = c.send(&message{Progress: &p}) } // the answer will say if the pipe is gone
	go func() {
		defer close(sent)
		for {
			select {
			case p := <-news:
				send(p)
			case <-over:
				select {
				case p := <-news:
					send(p)
				default:
				}
				return
			}
		}
	}()
	tell = func(p runtime.PullProgress) {
		select {
		case <-news: // what nobody has taken is old
		default:
		}
		select {
		case news <- p:
		default: // another one was quicker
		}
	}
	return tell, func() { close(over); <-sent }
}
