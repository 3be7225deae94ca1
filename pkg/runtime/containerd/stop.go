//go:build linux || windows

package containerd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/containerd/api/services/tasks/v1"
	tasktypes "github.com/containerd/containerd/api/types/task"
	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// The signals that a stop sends, by Linux' numbers. runhcs takes the one for the
// end of a session, and the other for that of the process.
const (
	sigTerm = 15
	sigKill = 9
)

// Stop asks the container to end, and kills it after timeout.
func (r *Runtime) Stop(ctx context.Context, id runtime.ContainerID, timeout time.Duration) error {
	cid := containerID(id)
	rec, err := r.records.Get(ctx, cid)
	if err != nil {
		return about(id, err)
	}
	spec, err := specOf(rec)
	if err != nil {
		return about(id, err)
	}
	if timeout < 0 {
		timeout = DefaultStopGrace
		if spec.StopGrace > 0 {
			timeout = spec.StopGrace.Std()
		}
	}
	r.stopping.enter(cid)
	defer r.stopping.leave(cid)
	if timeout > 0 {
		ended, err := r.askToEnd(ctx, cid, r.stopSignal(ctx, spec, rec.Labels[labelDigest]), timeout)
		if err != nil || ended {
			return about(id, err)
		}
	}
	return about(id, r.killAndWait(ctx, cid))
}

// stopSignal is the spec's, else the image's, else TERM.
func (r *Runtime) stopSignal(ctx context.Context, spec *messages.Spec, digest string) int {
	name := spec.StopSignal
	if name == "" {
		name = r.imageStopSignal(ctx, spec.Image, digest)
	}
	if n, ok := messages.ParseSignal(name); ok {
		return n
	}
	return sigTerm
}

// imageStopSignal is the signal that the container's image names, if the image
// is still there under its name.
func (r *Runtime) imageStopSignal(ctx context.Context, name, digest string) string {
	ref, err := parseRef("spec.image", name)
	if err != nil {
		return ""
	}
	found, err := r.client.ImageService().Get(ctx, ref.name)
	if err != nil || found.Target.Digest.String() != digest {
		return ""
	}
	img, err := r.loadImage(ctx, found.Target, r.platform)
	if err != nil {
		return ""
	}
	return img.config.StopSignal
}

// askToEnd sends a signal and waits for the end for as long as the grace is.
func (r *Runtime) askToEnd(ctx context.Context, cid string, signal int, grace time.Duration) (ended bool, err error) {
	if err := r.thaw(ctx, cid); err != nil {
		return false, err
	}
	if err := r.signal(ctx, cid, signal); err != nil {
		return noTask(err), ignoreNoTask(err)
	}
	// Not a deadline: containerd would learn of it, and its answer that the time
	// is over could come before our own clock says so.
	waitCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer time.AfterFunc(grace, cancel).Stop()
	_, err = r.taskEnd(waitCtx, cid, "")
	switch {
	case err == nil || noTask(err):
		return true, nil
	case ctx.Err() == nil && waitCtx.Err() != nil:
		return false, nil
	}
	return false, err
}

// killAndWait kills what runs and returns when it does not any more.
func (r *Runtime) killAndWait(ctx context.Context, cid string) error {
	err := r.signal(ctx, cid, sigKill)
	if noTask(err) {
		// Its process may be gone, and its shim not have noticed yet.
		task, err := r.task(ctx, cid)
		if err != nil || task == nil || task.Status == tasktypes.Status_STOPPED || task.Status == tasktypes.Status_CREATED {
			return err
		}
	} else if err != nil {
		return err
	}
	if err := r.thaw(ctx, cid); err != nil { // a frozen program does not die
		return err
	}
	_, err = r.taskEnd(ctx, cid, "")
	return ignoreNoTask(err)
}

func (r *Runtime) killAndDelete(ctx context.Context, cid string) error {
	if err := r.killAndWait(ctx, cid); err != nil {
		return err
	}
	return r.deleteTask(ctx, cid)
}

func (r *Runtime) signal(ctx context.Context, cid string, signal int) error {
	_, err := r.tasks.Kill(ctx, &tasks.KillRequest{ContainerID: cid, Signal: uint32(signal), All: false})
	return taskError(err)
}

// noTask tells whether a call on a task failed because it has ended, or because
// there is none, or no more: its shim leaves when somebody removes it.
func noTask(err error) bool {
	return errdefs.IsNotFound(err) || errdefs.IsFailedPrecondition(err) || shimGone(err)
}

// shimGone tells of a shim that went away during a call, which has no class.
func shimGone(err error) bool { return err != nil && strings.Contains(err.Error(), "ttrpc: closed") }

func ignoreNoTask(err error) error {
	if noTask(err) {
		return nil
	}
	return err
}

// Kill sends a signal to the container's program.
func (r *Runtime) Kill(ctx context.Context, id runtime.ContainerID, signal string) error {
	number := sigKill
	if signal != "" {
		n, ok := messages.ParseSignal(signal)
		if !ok {
			return fmt.Errorf("container %s: signal: %q is not known; want a name such as KILL, TERM, INT, HUP, USR1 or USR2, with or without SIG: %w", id, signal, errdefs.ErrInvalidArgument)
		}
		number = n
	}
	cid := containerID(id)
	err := r.signal(ctx, cid, number)
	if err == nil && number == sigKill {
		err = r.thaw(ctx, cid) // a frozen program does not die
	}
	if !noTask(err) {
		return about(id, err)
	}
	if _, err := r.records.Get(ctx, cid); err != nil {
		return about(id, err)
	}
	return fmt.Errorf("container %s: it does not run: %w", id, errdefs.ErrFailedPrecondition)
}
