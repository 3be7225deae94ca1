package worker_test

import (
	"context"
	"iter"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// What the memory runtime has no figures for, the rig's runtime counts: the
// programs that run beside a container's own.

func (f *faultyRuntime) began() (over func()) {
	f.programs.Add(1)
	return func() { f.programs.Add(-1) }
}

func (f *faultyRuntime) ExecStream(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) iter.Seq2[runtime.ExecEvent, error] {
	return func(yield func(runtime.ExecEvent, error) bool) {
		defer f.began()()
		f.Runtime.ExecStream(ctx, id, opts)(yield)
	}
}

func (f *faultyRuntime) ExecSession(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (runtime.ExecSession, error) {
	s, err := f.Runtime.ExecSession(ctx, id, opts)
	if err != nil {
		return nil, err
	}
	return &countedSession{s, f.began()}, nil
}

type countedSession struct {
	runtime.ExecSession
	over func()
}

func (s *countedSession) Close() error {
	s.over()
	return s.ExecSession.Close()
}

func (f *faultyRuntime) Stats(ctx context.Context, id runtime.ContainerID) (runtime.Stats, error) {
	state, err := f.State(ctx, id)
	if err == nil && state.Phase != runtime.PhaseRunning {
		err = errdefs.ErrFailedPrecondition
	}
	return runtime.Stats{V: messages.Version, PIDs: 1 + uint64(f.programs.Load()), At: time.Now()}, err
}

func (f *faultyRuntime) StatsStream(ctx context.Context, id runtime.ContainerID, every time.Duration) iter.Seq2[runtime.Stats, error] {
	return func(yield func(runtime.Stats, error) bool) {
		for {
			s, err := f.Stats(ctx, id)
			if err != nil || !yield(s, nil) {
				return
			}
			select {
			case <-time.After(every):
			case <-ctx.Done():
				yield(runtime.Stats{}, ctx.Err())
				return
			}
		}
	}
}
