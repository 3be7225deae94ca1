//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/containerd/containerd/api/services/tasks/v1"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// UnknownExit is the exit code of a container whose end nobody saw: its shim or
// its machine went away with it.
const UnknownExit = 255

// Wait blocks until the container does not run, and is its exit code.
func (r *Runtime) Wait(ctx context.Context, id runtime.ContainerID) (int, error) {
	out, err := r.WaitOutcome(ctx, id, messages.WaitNotRunning)
	return out.ExitCode, err
}

// WaitOutcome blocks until the condition holds. Of a container that has not
// been started it is FailedPrecondition, unless its next exit or its removal is
// waited for.
func (r *Runtime) WaitOutcome(ctx context.Context, id runtime.ContainerID, until messages.WaitCondition) (runtime.WaitOutcome, error) {
	cid := containerID(id)
	var out runtime.WaitOutcome
	var err error
	switch until {
	case messages.WaitNotRunning, "":
		out, err = r.waitEnded(ctx, cid)
	case messages.WaitNextExit:
		out, err = r.waitNextExit(ctx, cid)
	case messages.WaitRemoved:
		out, err = r.waitRemoved(ctx, cid)
	default:
		err = fmt.Errorf("condition: %q is not known; want not_running, next_exit or removed: %w", until, errdefs.ErrInvalidArgument)
	}
	return out, about(id, err)
}

// errNeverRan is the wait's answer about a container that was not started yet.
var errNeverRan = fmt.Errorf("it was never started, so it has not ended: %w", errdefs.ErrFailedPrecondition)

// waitEnded waits for the end of the container, or is how it ended.
func (r *Runtime) waitEnded(ctx context.Context, cid string) (runtime.WaitOutcome, error) {
	exit, err := r.waitTask(ctx, cid, "")
	if err == nil {
		return r.judge(ctx, cid, int(exit.ExitStatus), exit.ExitedAt.AsTime())
	}
	if !errdefs.IsNotFound(err) {
		return runtime.WaitOutcome{}, err
	}
	out, known, err := r.endWithoutTask(ctx, cid)
	if err == nil && !known {
		err = errNeverRan
	}
	return out, err
}

// waitRunAndEnd is waitEnded for a container that may not have been started.
func (r *Runtime) waitRunAndEnd(ctx context.Context, cid string) (runtime.WaitOutcome, error) {
	for {
		out, err := r.waitEnded(ctx, cid)
		if !errors.Is(err, errNeverRan) {
			return out, err
		}
		if err := r.awaitChange(ctx, cid, func(ctx context.Context) (bool, error) { return r.moved(ctx, cid) }); err != nil {
			return runtime.WaitOutcome{}, err
		}
	}
}

// moved tells whether a container that had never run has, or is gone.
func (r *Runtime) moved(ctx context.Context, cid string) (bool, error) {
	rec, err := r.records.Get(ctx, cid)
	if errdefs.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, native(err)
	}
	task, err := r.task(ctx, cid)
	return task != nil || !startedAt(rec.Labels).IsZero() || rec.Labels[labelFailed] != "", err
}

// waitTask waits for a task's end, or for that of a program added to it, over
// the times when containerd is away. It is NotFound when there is no such.
func (r *Runtime) waitTask(ctx context.Context, cid, exec string) (*tasks.WaitResponse, error) {
	return backoff.Retry(ctx, func() (*tasks.WaitResponse, error) {
		exit, err := r.taskEnd(ctx, cid, exec)
		return exit, r.unlessAway(ctx, err, "wait for "+cid)
	}, r.retryAway()...)
}

// taskEnd waits for the end of a task, or of a program added to it. Now and then
// it looks whether that has been already: that the answer to a wait was lost
// cannot be seen otherwise.
func (r *Runtime) taskEnd(ctx context.Context, cid, exec string) (*tasks.WaitResponse, error) {
	for {
		exit, over, err := r.waitFor(ctx, cid, exec, r.cfg.CallTimeout)
		if !over {
			return exit, err
		}
		got, err := r.tasks.Get(ctx, &tasks.GetRequest{ContainerID: cid, ExecID: exec})
		if err != nil {
			return nil, native(err)
		}
		if p := got.Process; p.Status == tasktypes.Status_STOPPED {
			return &tasks.WaitResponse{ExitStatus: p.ExitStatus, ExitedAt: p.ExitedAt}, nil
		}
	}
}

// waitFor is taskEnd for some time; over tells that this has passed.
func (r *Runtime) waitFor(ctx context.Context, cid, exec string, most time.Duration) (exit *tasks.WaitResponse, over bool, err error) {
	waitCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := time.AfterFunc(most, cancel)
	exit, err = r.tasks.Wait(waitCtx, &tasks.WaitRequest{ContainerID: cid, ExecID: exec})
	late := !timer.Stop()
	return exit, err != nil && late && ctx.Err() == nil, native(err)
}

// unlessAway makes every error final but that of a containerd that is away, or
// of a shim that has just died: containerd will soon have noticed.
func (r *Runtime) unlessAway(ctx context.Context, err error, doing string) error {
	if err == nil {
		return nil
	}
	passing := errdefs.IsUnavailable(err) || shimGone(err)
	if passing && ctx.Err() == nil {
		r.log.Info("containerd or a shim is away, trying again", "doing", doing, "error", err)
		return err
	}
	return backoff.Permanent(err)
}

func (r *Runtime) retryAway() []backoff.RetryOption {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval = 50 * time.Millisecond
	policy.MaxInterval = 2 * time.Second
	return []backoff.RetryOption{backoff.WithBackOff(policy), backoff.WithMaxElapsedTime(0)}
}

// judge says how a task with this exit status ended.
func (r *Runtime) judge(ctx context.Context, cid string, code int, at time.Time) (runtime.WaitOutcome, error) {
	out := runtime.WaitOutcome{ExitCode: code, Reason: messages.ExitExited, FinishedAt: at}
	if code == 0 {
		return out, nil
	}
	if signal := signalOf(code); signal != 0 {
		out.Reason, out.Signal = messages.ExitSignal, signal
	}
	rec, err := r.records.Get(ctx, cid)
	if errdefs.IsNotFound(err) {
		return out, nil // removed meanwhile, its cgroup with it
	}
	if err != nil {
		return out, native(err)
	}
	if code == UnknownExit && r.shimLost(ctx, cid) {
		out.Reason = messages.ExitRuntimeError
		return out, nil
	}
	if killed, err := oomKilled(rec); err != nil {
		r.log.Warn("whether a container ran out of memory is not known", "container", cid, "error", err)
	} else if killed {
		out.Reason = messages.ExitOOMKilled
	}
	return out, nil
}

// shimLost tells a task that containerd gave up from one that ended with the
// same code: the first is not there any more.
func (r *Runtime) shimLost(ctx context.Context, cid string) bool {
	task, err := r.task(ctx, cid)
	return err == nil && task == nil
}

// endWithoutTask is how a container without a task ended; known is false when
// it never started.
func (r *Runtime) endWithoutTask(ctx context.Context, cid string) (out runtime.WaitOutcome, known bool, err error) {
	rec, err := r.records.Get(ctx, cid)
	if err != nil {
		return out, false, native(err)
	}
	if r.stateOf(rec, nil).Phase != runtime.PhaseFailed {
		return out, false, nil
	}
	return runtime.WaitOutcome{ExitCode: UnknownExit, Reason: messages.ExitRuntimeError}, true, nil
}

// waitNextExit waits for an end that has not been yet.
func (r *Runtime) waitNextExit(ctx context.Context, cid string) (runtime.WaitOutcome, error) {
	rec, err := r.records.Get(ctx, cid)
	if err != nil {
		return runtime.WaitOutcome{}, native(err)
	}
	task, err := r.task(ctx, cid)
	if err != nil {
		return runtime.WaitOutcome{}, err
	}
	if task == nil || task.Status == tasktypes.Status_STOPPED {
		last := rec.Labels[labelStarted]
		err := r.awaitChange(ctx, cid, func(ctx context.Context) (bool, error) {
			now, err := r.records.Get(ctx, cid)
			return err == nil && now.Labels[labelStarted] != last, native(err)
		})
		if err != nil {
			return runtime.WaitOutcome{}, err
		}
		if err := r.awaitStart(ctx, cid); err != nil {
			return runtime.WaitOutcome{}, err
		}
	}
	return r.waitEnded(ctx, cid)
}

// awaitStart returns when a start under way is over: it is noted in the record
// before its task is there.
func (r *Runtime) awaitStart(ctx context.Context, cid string) error {
	unlock, err := r.locks.lock(ctx, cid)
	if err != nil {
		return err
	}
	unlock()
	return nil
}

// waitRemoved waits until the container is gone, and is how it last ended.
func (r *Runtime) waitRemoved(ctx context.Context, cid string) (runtime.WaitOutcome, error) {
	if _, err := r.records.Get(ctx, cid); err != nil {
		return runtime.WaitOutcome{}, native(err)
	}
	var last runtime.WaitOutcome
	watchCtx, stop := context.WithCancel(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if out, err := r.waitRunAndEnd(watchCtx, cid); err == nil {
			last = out
		}
	}()
	err := r.awaitChange(ctx, cid, func(ctx context.Context) (bool, error) {
		_, err := r.records.Get(ctx, cid)
		if errdefs.IsNotFound(err) {
			return true, nil
		}
		return false, native(err)
	})
	stop()
	<-watched
	return last, err
}

// awaitChange returns when check holds. It looks when containerd tells of
// something about the container, and, since events are not kept for who was
// away, every second.
func (r *Runtime) awaitChange(ctx context.Context, cid string, check func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, errs := r.client.EventService().Subscribe(r.scope(ctx), containerTopics(cid)...)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		ok, err := check(ctx)
		if ok || (err != nil && (!errdefs.IsUnavailable(err) || ctx.Err() != nil)) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-events:
		case err := <-errs:
			errs = nil // the ticks go on
			if ctx.Err() == nil && err != nil && !errors.Is(err, context.Canceled) {
				r.log.Info("containerd's events ended, looking every second", "container", cid, "error", err)
			}
		case <-tick.C:
		}
	}
}

// containerTopics are the filters for the events of one container.
func containerTopics(cid string) []string {
	return []string{
		`topic~="^/tasks/",event.container_id==` + cid,
		`topic~="^/containers/",event.id==` + cid,
	}
}

// refresh reads a record again.
func (r *Runtime) refresh(ctx context.Context, id runtime.ContainerID) (containers.Container, error) {
	rec, err := r.records.Get(ctx, containerID(id))
	return rec, about(id, err)
}
