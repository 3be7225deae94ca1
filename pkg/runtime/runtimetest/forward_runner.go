package runtimetest

import (
	"context"
	"io"
	"iter"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func (f *Faulty) Wait(ctx context.Context, id runtime.ContainerID) (int, error) {
	return ask(ctx, f, "Wait", id, nil, func(ctx context.Context) (int, error) {
		return f.rt.Wait(ctx, id)
	})
}

func (f *Faulty) WaitOutcome(ctx context.Context, id runtime.ContainerID, until messages.WaitCondition) (runtime.WaitOutcome, error) {
	return ask(ctx, f, "WaitOutcome", id, []any{until}, func(ctx context.Context) (runtime.WaitOutcome, error) {
		return f.rt.WaitOutcome(ctx, id, until)
	})
}

func (f *Faulty) Logs(ctx context.Context, id runtime.ContainerID, opts runtime.LogOptions) iter.Seq2[runtime.LogEntry, error] {
	return stream(ctx, f, "Logs", id, []any{opts}, func(ctx context.Context) iter.Seq2[runtime.LogEntry, error] {
		return f.rt.Logs(ctx, id, opts)
	})
}

func (f *Faulty) Exec(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (runtime.ExecResult, error) {
	return ask(ctx, f, "Exec", id, []any{opts}, func(ctx context.Context) (runtime.ExecResult, error) {
		return f.rt.Exec(ctx, id, opts)
	})
}

func (f *Faulty) ExecStream(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) iter.Seq2[runtime.ExecEvent, error] {
	return stream(ctx, f, "ExecStream", id, []any{opts}, func(ctx context.Context) iter.Seq2[runtime.ExecEvent, error] {
		return f.rt.ExecStream(ctx, id, opts)
	})
}

func (f *Faulty) Probe(ctx context.Context, id runtime.ContainerID, check messages.Health) (runtime.Verdict, error) {
	return ask(ctx, f, "Probe", id, []any{check}, func(ctx context.Context) (runtime.Verdict, error) {
		return f.rt.Probe(ctx, id, check)
	})
}

func (f *Faulty) CopyIn(ctx context.Context, id runtime.ContainerID, dir string, r io.Reader) error {
	return f.do(ctx, "CopyIn", id, []any{dir, r}, func(ctx context.Context) error {
		return f.rt.CopyIn(ctx, id, dir, r)
	})
}

func (f *Faulty) CopyOut(ctx context.Context, id runtime.ContainerID, path string, w io.Writer) error {
	return f.do(ctx, "CopyOut", id, []any{path, w}, func(ctx context.Context) error {
		return f.rt.CopyOut(ctx, id, path, w)
	})
}

func (f *Faulty) Export(ctx context.Context, id runtime.ContainerID, w io.Writer) error {
	return f.do(ctx, "Export", id, []any{w}, func(ctx context.Context) error {
		return f.rt.Export(ctx, id, w)
	})
}

func (f *Faulty) Commit(ctx context.Context, id runtime.ContainerID, ref string) (runtime.ImageInfo, error) {
	return ask(ctx, f, "Commit", id, []any{ref}, func(ctx context.Context) (runtime.ImageInfo, error) {
		return f.rt.Commit(ctx, id, ref)
	})
}

// ExecSession forwards the session's own methods as they are; closing it is
// what ends the context it lives on.
func (f *Faulty) ExecSession(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (runtime.ExecSession, error) {
	u := f.begin(ctx, "ExecSession", id, []any{opts})
	var session runtime.ExecSession
	_, err := f.pass(u, func(ctx context.Context) (err error) {
		session, err = f.rt.ExecSession(ctx, id, opts)
		return err
	})
	if err == nil {
		return &faultySession{session, u.cancel}, nil
	}
	u.cancel()
	if session != nil {
		_ = session.Close() // its caller never learns of it
	}
	return nil, err
}

type faultySession struct {
	runtime.ExecSession
	cancel context.CancelFunc
}

func (s *faultySession) Close() error {
	defer s.cancel()
	return s.ExecSession.Close()
}
