package containerd

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/containerd/containerd/api/services/tasks/v1"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/logger"
)

// outputs are those of the containers that run. The worker reads them itself and
// at once: the shim gives what is still to be copied one second after a program's
// end. While no worker is there the shim tries to reach one again and again, and
// a program that writes more than a pipe holds waits.
type outputs struct {
	mu   sync.Mutex
	byID map[string]*output
}

// output is that of one start of a container.
type output struct {
	pipes *pipes
	sink  *logger.Sink

	closeOnce sync.Once
	closeErr  error
}

func (o *outputs) get(cid string) *output {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.byID[cid]
}

func (o *outputs) put(cid string, out *output) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byID == nil {
		o.byID = map[string]*output{}
	}
	o.byID[cid] = out
}

// drop forgets an output that has ended.
func (o *outputs) drop(cid string, out *output) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.byID[cid] == out {
		delete(o.byID, cid)
	}
}

// setStreams has the container's output read into its log, and tells the shim
// where to write it.
func (r *Runtime) setStreams(req *tasks.CreateTaskRequest, spec *messages.Spec) error {
	if err := r.cutOutput(req.ContainerID); err != nil {
		return err
	}
	out, err := r.openOutput(req.ContainerID, spec.TTY)
	if err != nil {
		return fmt.Errorf("its output: %w", err)
	}
	req.Stdout, req.Stderr = out.pipes.config.Stdout, out.pipes.config.Stderr
	return nil
}

func (r *Runtime) openOutput(cid string, terminal bool) (*output, error) {
	sink, err := logger.NewSink(r.logs.live(cid))
	if err != nil {
		return nil, err
	}
	out := &output{sink: sink}
	out.pipes, err = openPipes(r.pipeName(cid), nil, sink.Stream(logger.Stdout), sink.Stream(logger.Stderr), terminal)
	if err != nil {
		return nil, errors.Join(err, sink.Close())
	}
	r.outputs.put(cid, out)
	return out, nil
}

// outputTaken is an error when nobody reads what the container's task writes.
func (r *Runtime) outputTaken(cid string) error {
	if r.outputs.get(cid) == nil {
		return fmt.Errorf("nobody reads its output: %w", errdefs.ErrFailedPrecondition)
	}
	return nil
}

// finishLog returns when the log of a container that has ended is complete.
func (r *Runtime) finishLog(ctx context.Context, cid string) error {
	out := r.outputs.get(cid)
	if out == nil {
		return nil
	}
	out.pipes.stopListening() // who has not dialled by now will not
	read := make(chan struct{})
	go func() { out.pipes.Wait(); close(read) }()
	select {
	case <-read:
	case <-ctx.Done():
		return fmt.Errorf("log: wait for the end of the output: %w", ctx.Err())
	}
	return r.closeOutput(cid, out)
}

// cutOutput ends the output of a start that has failed, wherever it is.
func (r *Runtime) cutOutput(cid string) error {
	out := r.outputs.get(cid)
	if out == nil {
		return nil
	}
	out.pipes.Cancel()
	out.pipes.Wait()
	return r.closeOutput(cid, out)
}

// closeOutput ends the log of an output that was read to its end. Whoever comes
// second waits for the first.
func (r *Runtime) closeOutput(cid string, out *output) error {
	out.closeOnce.Do(func() { out.closeErr = out.sink.Close() })
	r.outputs.drop(cid, out)
	return out.closeErr
}

// resumeOutputs goes on, with all that runs, where the process before this one
// stopped reading.
func (r *Runtime) resumeOutputs(ctx context.Context) error {
	list, err := r.tasks.List(ctx, &tasks.ListTasksRequest{})
	if err != nil {
		return native(err)
	}
	for _, t := range list.Tasks {
		if t.Status == tasktypes.Status_STOPPED {
			continue
		}
		if err := r.resumeOutput(ctx, t.ID); err != nil {
			r.log.Warn("the output of a container is not read", "container", t.ID, "error", err)
		}
	}
	return nil
}

func (r *Runtime) resumeOutput(ctx context.Context, cid string) error {
	rec, err := r.records.Get(ctx, cid)
	if err != nil {
		return ignoreNotFound(native(err))
	}
	if _, _, ours := identityOf(rec.Labels); !ours {
		return nil
	}
	spec, err := specOf(rec)
	if err != nil {
		return err
	}
	_, err = r.openOutput(cid, spec.TTY)
	return err
}
