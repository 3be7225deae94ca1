package worker

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// logs streams a container's output.
func (w *Worker) logs(ctx context.Context, f *frames, req messages.LogsRequest) (bus.Header, error) {
	id, err := w.logged(ctx, &req)
	if err != nil {
		return nil, err
	}
	opts := runtime.LogOptions{Tail: -1, Since: req.Since, Follow: req.Follow}
	if req.Tail != nil {
		opts.Tail = *req.Tail
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	entries := w.ahead(ctx, w.cfg.Runtime.Logs(ctx, id, opts))
	return nil, f.bundles(ctx, entries, req.Follow)
}

// logged is the container whose output is asked for: by name, or as the one of
// a job, which may have been removed since.
func (w *Worker) logged(ctx context.Context, req *messages.LogsRequest) (runtime.ContainerID, error) {
	name := req.Container
	if name == "" {
		a, err := w.cfg.Journal.Attempt(req.Job, 0)
		if err != nil {
			return runtime.ContainerID{}, fmt.Errorf("job: this node has not run job %q within the last day: %w", req.Job, errdefs.ErrNotFound)
		}
		name = a.Job.ContainerName()
	}
	if id, ok := runtime.ParseContainerID(name); ok {
		return id, nil
	}
	d, err := w.named(ctx, name)
	return d.ID, err
}
