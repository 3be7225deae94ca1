package runtime

import (
	"context"
	"io"
	"iter"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func (c *Composite) Wait(ctx context.Context, id ContainerID) (int, error) {
	return from(ctx, c, id, func(rt Runtime) (int, error) { return rt.Wait(ctx, id) })
}

func (c *Composite) WaitOutcome(ctx context.Context, id ContainerID, until messages.WaitCondition) (WaitOutcome, error) {
	return from(ctx, c, id, func(rt Runtime) (WaitOutcome, error) { return rt.WaitOutcome(ctx, id, until) })
}

// Logs are the output of the container. Where no member holds it, they are what
// the first member in order still has of one that was removed.
func (c *Composite) Logs(ctx context.Context, id ContainerID, opts LogOptions) iter.Seq2[LogEntry, error] {
	return func(yield func(LogEntry, error) bool) {
		h, err := c.find(ctx, id)
		switch {
		case err == nil:
			h.by.Logs(ctx, id, opts)(func(e LogEntry, err error) bool {
				c.heed(id, h, err)
				return yield(e, err)
			})
		case !errdefs.IsNotFound(err) || !c.oldLogs(ctx, id, opts, yield):
			yield(LogEntry{}, err)
		}
	}
}

// oldLogs tells whether a member knew the removed container; then it has
// yielded its output.
func (c *Composite) oldLogs(ctx context.Context, id ContainerID, opts LogOptions, yield func(LogEntry, error) bool) bool {
	for _, m := range c.members {
		known := true
		began := false
		m.Logs(ctx, id, opts)(func(e LogEntry, err error) bool {
			if !began && (errdefs.IsNotFound(err) || errdefs.IsNotImplemented(err)) {
				known = false
				return false
			}
			began = true
			return yield(e, err)
		})
		if known {
			return true
		}
	}
	return false
}

func (c *Composite) Exec(ctx context.Context, id ContainerID, opts ExecOptions) (ExecResult, error) {
	return from(ctx, c, id, func(rt Runtime) (ExecResult, error) { return rt.Exec(ctx, id, opts) })
}

func (c *Composite) ExecStream(ctx context.Context, id ContainerID, opts ExecOptions) iter.Seq2[ExecEvent, error] {
	return stream(ctx, c, id, func(rt Runtime) iter.Seq2[ExecEvent, error] { return rt.ExecStream(ctx, id, opts) })
}

func (c *Composite) ExecSession(ctx context.Context, id ContainerID, opts ExecOptions) (ExecSession, error) {
	return from(ctx, c, id, func(rt Runtime) (ExecSession, error) { return rt.ExecSession(ctx, id, opts) })
}

func (c *Composite) Probe(ctx context.Context, id ContainerID, check messages.Health) (Verdict, error) {
	return from(ctx, c, id, func(rt Runtime) (Verdict, error) { return rt.Probe(ctx, id, check) })
}

func (c *Composite) CopyIn(ctx context.Context, id ContainerID, dir string, r io.Reader) error {
	return on(ctx, c, id, func(rt Runtime) error { return rt.CopyIn(ctx, id, dir, r) })
}

func (c *Composite) CopyOut(ctx context.Context, id ContainerID, path string, w io.Writer) error {
	return on(ctx, c, id, func(rt Runtime) error { return rt.CopyOut(ctx, id, path, w) })
}

func (c *Composite) Export(ctx context.Context, id ContainerID, w io.Writer) error {
	return on(ctx, c, id, func(rt Runtime) error { return rt.Export(ctx, id, w) })
}

// Commit makes the image with the member that holds the container.
func (c *Composite) Commit(ctx context.Context, id ContainerID, ref string) (ImageInfo, error) {
	h, err := c.find(ctx, id)
	if err != nil {
		return ImageInfo{}, err
	}
	info, err := h.by.Commit(ctx, id, ref)
	c.heed(id, h, err)
	return h.by.owned(info), err
}
