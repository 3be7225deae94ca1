//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/containerd/containerd/api/events"
	"github.com/containerd/containerd/api/services/tasks/v1"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/typeurl/v2"
	"golang.org/x/sync/errgroup"
)

// releases is how many containers that ended together give their networks back
// at the same time.
const releases = 4

// Tend sweeps away what containers that do not run have left on the machine, and
// what the process before this one was in the middle of: a process that is
// killed, and a machine that is, leave such things. From then on, until Close, a
// container that ends gives its address and its ports back. One process does
// this for a containerd and a namespace, before it starts anything: the worker.
func (r *Runtime) Tend(ctx context.Context) error {
	if err := errors.Join(r.sweepSystem(ctx), r.volumes.sweep(), r.sweep(ctx)); err != nil {
		return err
	}
	if err := r.sweepExecs(ctx); err != nil {
		r.log.Warn("programs that were executed by the process before this one were not ended", "error", err)
	}
	if err := r.sweepVolumes(ctx); err != nil {
		r.log.Warn("anonymous volumes of containers that are no more were not removed", "error", err)
	}
	ctx, r.untend = context.WithCancel(context.WithoutCancel(ctx))
	r.tending.Go(func() { r.tend(ctx) })
	return nil
}

// sweep compares what is there of networks with what containerd runs.
func (r *Runtime) sweep(ctx context.Context) error {
	list, err := r.tasks.List(ctx, &tasks.ListTasksRequest{})
	if err != nil {
		return native(err)
	}
	running := map[string]bool{}
	for _, t := range list.Tasks {
		running[t.ID] = t.Status != tasktypes.Status_STOPPED
	}
	recs, err := r.records.List(ctx)
	if err != nil {
		return native(err)
	}
	known := map[string]bool{}
	for _, rec := range recs {
		known[rec.ID] = true
	}
	return r.networks.Sweep(ctx,
		func(cid string) bool { return running[cid] },
		func(cid string) bool { return known[cid] })
}

// tend hears of ends until ctx does. Events are not kept for who was away, so
// after each time without them every container is looked at.
func (r *Runtime) tend(ctx context.Context) {
	var group errgroup.Group
	group.SetLimit(releases)
	defer func() { _ = group.Wait() }() // releases have no error to give
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 50*time.Millisecond, 5*time.Second
	for ctx.Err() == nil {
		ends, errs := r.client.EventService().Subscribe(r.scope(ctx), `topic=="/tasks/exit"`)
		for _, cid := range r.networks.Connected() {
			group.Go(func() error { r.release(ctx, cid); return nil })
		}
		for open := true; open; {
			select {
			case e := <-ends:
				pause.Reset()
				if cid, ok := endedContainer(e.Event); ok {
					group.Go(func() error { r.release(ctx, cid); return nil })
				}
			case err := <-errs:
				open = false
				if ctx.Err() == nil {
					r.log.Info("containerd's events ended, asking for them again", "error", err)
				}
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause.NextBackOff()):
		}
	}
}

// endedContainer is the container whose first process an event says has ended.
func endedContainer(e typeurl.Any) (cid string, ok bool) {
	decoded, err := typeurl.UnmarshalAny(e)
	if err != nil {
		return "", false
	}
	exit, ok := decoded.(*events.TaskExit)
	if !ok || exit.ID != exit.ContainerID {
		return "", false
	}
	return exit.ContainerID, true
}

// release gives the network of a container that does not run back. Who starts
// the container again, or removes it, has the same to do and may be first.
func (r *Runtime) release(ctx context.Context, cid string) {
	unlock, err := r.locks.lock(ctx, cid)
	if err != nil {
		return
	}
	defer unlock()
	task, err := r.task(ctx, cid)
	if err == nil && task != nil && task.Status != tasktypes.Status_STOPPED {
		return
	}
	if err == nil {
		err = r.networks.Disconnect(ctx, cid)
	}
	if err != nil && ctx.Err() == nil {
		r.log.Warn("a container that ended keeps its address for now", "container", cid, "error", err)
	}
}
