package remote

import (
	"context"
	"io"
	"iter"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func (r *Runtime) Wait(ctx context.Context, id runtime.ContainerID) (int, error) {
	return ask[int](ctx, r, "Wait", id)
}

func (r *Runtime) WaitOutcome(ctx context.Context, id runtime.ContainerID, until messages.WaitCondition) (runtime.WaitOutcome, error) {
	return ask[runtime.WaitOutcome](ctx, r, "WaitOutcome", id, until)
}

func (r *Runtime) Logs(ctx context.Context, id runtime.ContainerID, opts runtime.LogOptions) iter.Seq2[runtime.LogEntry, error] {
	return items(ctx, r, "Logs", logBytes, id, opts)
}

func (r *Runtime) Exec(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (runtime.ExecResult, error) {
	return act[runtime.ExecResult](ctx, r, "Exec", id, opts)
}

func (r *Runtime) ExecStream(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) iter.Seq2[runtime.ExecEvent, error] {
	return items(ctx, r, "ExecStream", eventBytes, id, opts)
}

func (r *Runtime) Probe(ctx context.Context, id runtime.ContainerID, check messages.Health) (runtime.Verdict, error) {
	return act[runtime.Verdict](ctx, r, "Probe", id, check)
}

func (r *Runtime) CopyIn(ctx context.Context, id runtime.ContainerID, dir string, from io.Reader) error {
	return upload(ctx, r, from, nil, "CopyIn", id, dir)
}

func (r *Runtime) CopyOut(ctx context.Context, id runtime.ContainerID, path string, w io.Writer) error {
	return download(ctx, r, w, "CopyOut", id, path)
}

func (r *Runtime) Export(ctx context.Context, id runtime.ContainerID, w io.Writer) error {
	return download(ctx, r, w, "Export", id)
}

func (r *Runtime) Commit(ctx context.Context, id runtime.ContainerID, ref string) (runtime.ImageInfo, error) {
	return act[runtime.ImageInfo](ctx, r, "Commit", id, ref)
}
