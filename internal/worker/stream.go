package worker

import (
	"context"
	"errors"
	"strconv"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// mostOpen bounds the answers that go on for long, streams and waits (for a
// container, an attempt's end, a drain's), so that askers who do not come back
// cannot gather here.
const mostOpen = 256

// openAnswers counts those answers.
type openAnswers chan struct{}

func (o openAnswers) enter() error {
	select {
	case o <- struct{}{}:
		return nil
	default:
		return exhausted("%d streams and waits are open on this node, which is the most; end some, or ask again later", mostOpen)
	}
}

func (o openAnswers) leave() { <-o }

// errStopping is how what is open ends when the worker does.
var errStopping = &messages.Error{
	Code: messages.CodeUnavailable, Retryable: true,
	Message: "the worker is stopping; ask the one that comes after it",
}

// streaming makes a handler of a method that answers with frames. The header it
// returns goes to the end of a stream that ends well.
func streaming[T any, P interface {
	*T
	messages.Validator
}](w *Worker, f func(context.Context, *frames, T) (bus.Header, error)) func(bus.Request) {
	return func(r bus.Request) {
		if r.Message().Reply == "" {
			return // nobody would hear it, nor could it be known when nobody does any more
		}
		req, err := messages.DecodeRequest[T, P](r.Message().Data)
		if err == nil {
			err = w.open.enter()
		}
		if err != nil {
			w.failStream(r, err)
			return
		}
		defer w.open.leave()
		out, ctx := w.newFrames(w.ctx, r.Message().Reply)
		extra, err := f(ctx, out, req)
		switch {
		case w.ctx.Err() != nil:
			err = errStopping
		case errors.Is(context.Cause(ctx), errAskerLeft):
			err = nil
		}
		if err := out.end(context.WithoutCancel(w.ctx), err, extra); err != nil {
			w.log.Debug("a streamed answer was not ended", "subject", r.Message().Subject, "error", err)
		}
	}
}

// failStream ends an answer before its first frame.
func (w *Worker) failStream(r bus.Request, err error) {
	e := runtime.ToWire(err)
	header := bus.Header{messages.HeaderSeq: "1"}
	if err := r.Fail(strconv.Itoa(e.Code.HTTPStatus()), e.Error(), nil, header); err != nil {
		w.log.Warn("a request was not answered", "subject", r.Message().Subject, "error", err)
	}
}
