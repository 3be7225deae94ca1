package worker

import (
	"cmp"
	"context"
	"fmt"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// wait answers when a container meets a condition. A runtime that is away
// meanwhile does not end it.
func (w *Worker) wait(ctx context.Context, req messages.WaitRequest) (any, error) {
	if err := w.open.enter(); err != nil {
		return nil, err
	}
	defer w.open.leave()
	d, err := w.named(ctx, req.Container)
	if err != nil {
		return nil, err
	}
	within := longest
	if req.Timeout > 0 {
		within = min(within, req.Timeout.Std())
	}
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	out, err := persistFor(limited, w, 0, "wait for container "+d.ID.String(), func() (runtime.WaitOutcome, error) {
		return w.cfg.Runtime.WaitOutcome(limited, d.ID, req.Condition)
	})
	switch {
	case err == nil:
		return messages.WaitReply{
			V: messages.Version, ExitCode: out.ExitCode, ExitReason: out.Reason, Signal: out.Signal, FinishedAt: out.FinishedAt,
		}, nil
	case w.ctx.Err() != nil:
		return nil, errStopping
	case limited.Err() != nil:
		return nil, &messages.Error{
			Code: messages.CodeDeadlineExceeded, Field: "timeout", Retryable: true,
			Message: fmt.Sprintf("%s did not hold for container %s within %s", cmp.Or(req.Condition, messages.WaitNotRunning), d.ID, within),
		}
	}
	return nil, err
}
