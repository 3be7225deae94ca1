//go:build linux || windows

package containerd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/logger"
)

// Logs reads what the container wrote, also for some time after its removal.
// The log of a container that has ended is complete.
func (r *Runtime) Logs(ctx context.Context, id runtime.ContainerID, opts runtime.LogOptions) iter.Seq2[runtime.LogEntry, error] {
	return func(yield func(runtime.LogEntry, error) bool) {
		if err := r.readLog(ctx, id, opts, func(e runtime.LogEntry) bool { return yield(e, nil) }); err != nil {
			yield(runtime.LogEntry{}, about(id, err))
		}
	}
}

// readLog gives out the log's entries until there are no more, or until the
// caller has enough.
func (r *Runtime) readLog(ctx context.Context, id runtime.ContainerID, opts runtime.LogOptions, give func(runtime.LogEntry) bool) error {
	log, err := r.openLog(ctx, containerID(id), opts.Follow)
	if err != nil {
		return err
	}
	defer log.close()
	more, err := r.backlog(ctx, log.reader, opts, give)
	if err != nil || !more || log.watch == nil {
		return err
	}
	return r.follow(ctx, containerID(id), log.dir, log.reader, log.watch, opts, give)
}

// openedLog is a log to be read, and watched if it is to be followed.
type openedLog struct {
	dir    string
	reader *logger.Reader
	watch  *logger.Watcher // nil: what is there is all there will be, or is wanted
}

func (l *openedLog) close() {
	l.reader.Close()
	if l.watch != nil {
		l.watch.Close()
	}
}

// openLog opens a container's log. The container may be removed meanwhile, and
// its log with it to where those of removed ones are: then that is opened.
func (r *Runtime) openLog(ctx context.Context, cid string, follow bool) (*openedLog, error) {
	for range 3 {
		dir, live, ok, err := r.logs.find(cid)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		ended := !live
		if live {
			if ended, err = r.completeLog(ctx, cid, dir); err != nil {
				return nil, err
			}
		}
		log := &openedLog{dir: dir}
		if log.reader, err = logger.Open(dir); err == nil && follow && !ended {
			if log.watch, err = logger.Watch(dir); err != nil {
				log.reader.Close()
			}
		}
		if err == nil {
			return log, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("there is no container and no log of that name: %w", errdefs.ErrNotFound)
}

// completeLog makes the log of a container that does not run complete; ended
// tells whether it has ended.
func (r *Runtime) completeLog(ctx context.Context, cid, dir string) (ended bool, err error) {
	task, err := r.task(ctx, cid)
	if err != nil {
		return false, err
	}
	if task == nil {
		rec, err := r.records.Get(ctx, cid)
		if errdefs.IsNotFound(err) {
			return true, nil
		}
		return err == nil && r.stateOf(rec, nil).Phase.Ended(), native(err)
	}
	if task.Status != tasktypes.Status_STOPPED {
		return false, nil
	}
	return true, r.finishLog(ctx, cid)
}

// backlog gives out what is there; more is false when the caller has enough.
func (r *Runtime) backlog(ctx context.Context, reader *logger.Reader, opts runtime.LogOptions, give func(runtime.LogEntry) bool) (more bool, err error) {
	if opts.Tail < 0 {
		return drain(ctx, reader, opts, give)
	}
	tail := lastLines{most: opts.Tail}
	if _, err := drain(ctx, reader, opts, func(e runtime.LogEntry) bool { tail.add(e); return true }); err != nil {
		return false, err
	}
	for _, e := range tail.entries {
		if !give(e.LogEntry) {
			return false, nil
		}
	}
	return true, nil
}

// drain gives out records until there are none now.
func drain(ctx context.Context, reader *logger.Reader, opts runtime.LogOptions, give func(runtime.LogEntry) bool) (more bool, err error) {
	for {
		rec, ok, err := reader.Next()
		if err != nil || !ok {
			return true, err
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if rec.At.Before(opts.Since) {
			continue
		}
		if !give(runtime.LogEntry{At: rec.At, Stream: runtime.Stream(rec.Stream), Message: rec.Data}) {
			return false, nil
		}
	}
}

// follow gives out what comes, until the container has ended and all was read.
func (r *Runtime) follow(ctx context.Context, cid, dir string, reader *logger.Reader, watch *logger.Watcher, opts runtime.LogOptions, give func(runtime.LogEntry) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	var endErr error
	go func() {
		defer close(ended)
		if _, err := r.waitRunAndEnd(ctx, cid); err != nil && !errdefs.IsNotFound(err) {
			endErr = err
			return
		}
		endErr = r.finishLog(ctx, cid)
	}()
	defer func() { cancel(); <-ended }()
	for {
		over := false
		select {
		case <-ended:
			over = true // and what is there now is all there is
		default:
		}
		more, err := drain(ctx, reader, opts, give)
		if err != nil || !more {
			return err
		}
		if over {
			return endErr
		}
		if err := watch.Wait(ctx, ended); err != nil {
			return err
		}
	}
}
