package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// perform does an attempt's op.
func (w *Worker) perform(ctx context.Context, at *active, resumed bool) (*messages.Result, error) {
	defer at.place.leave()
	if !resumed || at.Job.Op != messages.OpRun { // what may run already is looked after at once
		if err := at.place.wait(ctx); err != nil {
			return nil, err
		}
	}
	begun := time.Now()
	if at.Job.Op == messages.OpRun {
		return w.run(ctx, at, resumed)
	}
	op, ok := ops[at.Job.Op]
	if !ok {
		return nil, fmt.Errorf("op: this version of the worker does not do %q yet: %w", at.Job.Op, errdefs.ErrNotImplemented)
	}
	if op.once {
		if resumed && at.Phase == journal.PhaseStarting && !at.Job.Policy.Idempotent {
			return nil, fmt.Errorf("%w: %s", errCutOff, at.Job.Op)
		}
		if err := w.mark(at); err != nil {
			return nil, err
		}
	}
	result, err := op.do(w, ctx, at)
	if op.once && runtime.Retryable(err) && !at.Job.Policy.Idempotent {
		return nil, fmt.Errorf("%w: %s: %w", errCutOff, at.Job.Op, err)
	}
	if result != nil && result.StartedAt.IsZero() {
		result.StartedAt = begun
	}
	return result, err
}

// ops are the ops that work on what is there already. Those marked once must
// not be repeated after a crash; the others find out what is left to do.
var ops = map[messages.Op]struct {
	once bool
	do   func(*Worker, context.Context, *active) (*messages.Result, error)
}{
	messages.OpCreate:      {do: (*Worker).opCreate},
	messages.OpStart:       {once: true, do: (*Worker).opStart},
	messages.OpStop:        {do: (*Worker).opStop},
	messages.OpRestart:     {once: true, do: (*Worker).opRestart},
	messages.OpKill:        {once: true, do: (*Worker).opKill},
	messages.OpRemove:      {do: (*Worker).opRemove},
	messages.OpRename:      {do: (*Worker).opRename},
	messages.OpExec:        {once: true, do: (*Worker).opExec},
	messages.OpSyncVolumes: {do: (*Worker).opSyncVolumes},
	messages.OpPull:        {do: (*Worker).opPull},
	messages.OpTag:         {do: (*Worker).opTag},
	messages.OpRemoveImage: {do: (*Worker).opRemoveImage},
	messages.OpPrune:       {do: (*Worker).opPrune},
}

// resolve is the container an op works on: by its own name, or by a second one.
func (w *Worker) resolve(ctx context.Context, at *active) (runtime.ContainerID, error) {
	name := at.Job.ContainerName()
	if id, ok := runtime.ParseContainerID(name); ok {
		return id, nil
	}
	d, err := persist(ctx, w, "look for container "+name, func() (runtime.Details, error) { return w.named(ctx, name) })
	return d.ID, err
}

// runningOn is the attempt that runs a container, or nil.
func (w *Worker) runningOn(ctx context.Context, id runtime.ContainerID) *active {
	d, err := w.cfg.Runtime.Inspect(ctx, id)
	if err != nil {
		return nil
	}
	return w.attempts.get(journal.Key{Job: d.Owner.Job, Attempt: d.Owner.Attempt})
}

func (w *Worker) opCreate(ctx context.Context, at *active) (*messages.Result, error) {
	id := containerID(&at.Job)
	if d, err := w.cfg.Runtime.Inspect(ctx, id); err != nil || d.Owner != owner(at) {
		if err := w.create(ctx, at, id); err != nil {
			return nil, err
		}
	}
	return w.containerResult(ctx, id, nil)
}

func (w *Worker) opStart(ctx context.Context, at *active) (*messages.Result, error) {
	id, err := w.resolve(ctx, at)
	if err != nil {
		return nil, err
	}
	letGo, err := w.takeInHand(ctx, id)
	if err != nil {
		return nil, err
	}
	defer letGo()
	if err := w.cfg.Runtime.Start(ctx, id); err != nil {
		return nil, err
	}
	return w.containerResult(ctx, id, nil)
}

func (w *Worker) opStop(ctx context.Context, at *active) (*messages.Result, error) {
	id, err := w.resolve(ctx, at)
	if err != nil {
		return nil, err
	}
	before, err := w.cfg.Runtime.State(ctx, id)
	if err != nil {
		return nil, err
	}
	waits, seen, err := w.endAsked(ctx, id)
	if err != nil {
		return nil, err
	}
	defer seen()
	changed := before.Phase == runtime.PhaseRunning || before.Phase == runtime.PhaseStopping || waits
	if err := w.cfg.Runtime.Stop(ctx, id, timeoutOr(at, -1)); err != nil {
		return nil, err
	}
	at.volumes = w.saveIdle(ctx, id, false)
	return w.containerResult(ctx, id, &changed)
}

func (w *Worker) opRestart(ctx context.Context, at *active) (*messages.Result, error) {
	id, err := w.resolve(ctx, at)
	if err != nil {
		return nil, err
	}
	letGo, err := w.takeInHand(ctx, id)
	if err != nil {
		return nil, err
	}
	defer letGo()
	if err := w.cfg.Runtime.Stop(ctx, id, timeoutOr(at, -1)); err != nil {
		return nil, err
	}
	if err := w.cfg.Runtime.Start(ctx, id); err != nil {
		return nil, err
	}
	changed := true
	return w.containerResult(ctx, id, &changed)
}

func (w *Worker) opKill(ctx context.Context, at *active) (*messages.Result, error) {
	id, err := w.resolve(ctx, at)
	if err == nil {
		err = w.cfg.Runtime.Kill(ctx, id, at.Job.Args.Signal)
	}
	return &messages.Result{Container: id.String()}, err
}

func (w *Worker) opRemove(ctx context.Context, at *active) (*messages.Result, error) {
	id, err := w.resolve(ctx, at)
	if errdefs.IsNotFound(err) {
		changed := false
		return &messages.Result{Container: at.Job.ContainerName(), Changed: &changed}, nil
	}
	if err != nil {
		return nil, err
	}
	if at.Job.Args.Force {
		_, seen, err := w.endAsked(ctx, id)
		if err != nil {
			return nil, err
		}
		defer seen()
	} else if running := w.runningOn(ctx, id); running != nil && running.isWaiting() {
		return nil, fmt.Errorf("container %s is about to be started again; stop it first, or force: %w", id, errdefs.ErrFailedPrecondition)
	}
	at.volumes = w.saveIdle(ctx, id, at.Job.Args.Force)
	err = w.cfg.Runtime.Remove(ctx, id, runtime.RemoveOptions{Force: at.Job.Args.Force, Volumes: at.Job.Args.Volumes})
	changed := err == nil
	if errdefs.IsNotFound(err) {
		err = nil
	}
	if err == nil {
		w.attempts.release(id)
		w.changed()
	}
	return &messages.Result{Container: id.String(), Changed: &changed}, err
}

func (w *Worker) opRename(ctx context.Context, at *active) (*messages.Result, error) {
	id, err := w.resolve(ctx, at)
	if err == nil {
		err = w.cfg.Runtime.Rename(ctx, id, at.Job.Args.NewName)
	}
	return &messages.Result{Container: id.String()}, err
}

func (w *Worker) opExec(ctx context.Context, at *active) (*messages.Result, error) {
	id, err := w.resolve(ctx, at)
	if err != nil {
		return nil, err
	}
	a := at.Job.Args
	if a.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, a.Timeout.Std(), errRunLonger)
		defer cancel()
	}
	r, err := w.cfg.Runtime.Exec(ctx, id, runtime.ExecOptions{Cmd: a.Cmd, Env: a.Env, Workdir: a.Workdir, User: a.User})
	if err != nil && errors.Is(context.Cause(ctx), errRunLonger) {
		return nil, &messages.Error{
			Code: messages.CodeDeadlineExceeded, Field: "args.timeout",
			Message: fmt.Sprintf("the program ran longer than %s and was ended", a.Timeout),
		}
	}
	if err != nil {
		return nil, err
	}
	stdout, cutOut := clip(r.Stdout)
	stderr, cutErr := clip(r.Stderr)
	return &messages.Result{
		Container: id.String(), ExitCode: &r.ExitCode,
		Stdout: stdout, Stderr: stderr, Truncated: r.Truncated || cutOut || cutErr,
	}, nil
}

// clip is output as text that an outcome has room for: what is not UTF-8, and
// control characters, take up to six times their size in JSON.
func clip(output []byte) (text string, cut bool) {
	const room = 3 * messages.MaxCapturedBytes
	text = strings.ToValidUTF8(string(output), "\uFFFD")
	for {
		data, err := messages.Encode(text)
		if err == nil && len(data) <= room && len(text) <= messages.MaxCapturedBytes {
			return text, cut
		}
		text, cut = strings.ToValidUTF8(text[:len(text)/2], ""), true
	}
}

func (w *Worker) opSyncVolumes(ctx context.Context, at *active) (*messages.Result, error) {
	id, err := w.resolve(ctx, at)
	if err != nil {
		return nil, err
	}
	volumes, err := persist(ctx, w, "sync the volumes of "+id.String(), func() ([]messages.VolumeBytes, error) {
		return w.cfg.Runtime.SyncVolumes(ctx, id, runtime.SyncOptions{Copy: at.Job.Args.Copy})
	})
	return &messages.Result{Container: id.String(), Volumes: volumes}, err
}

func (w *Worker) opPull(ctx context.Context, at *active) (*messages.Result, error) {
	a := at.Job.Args
	opts := runtime.PullOptions{Policy: a.Policy}
	if a.Platform != nil {
		opts.Platform = *a.Platform
	}
	info, err := w.pull(ctx, at, a.Image, opts)
	if err != nil {
		return nil, err
	}
	return &messages.Result{ImageDigest: info.Digest, Size: info.Size, Runtime: info.Runtime}, nil
}

func (w *Worker) opTag(ctx context.Context, at *active) (*messages.Result, error) {
	return &messages.Result{}, w.cfg.Runtime.TagImage(ctx, at.Job.Args.Source, at.Job.Args.Target)
}

func (w *Worker) opRemoveImage(ctx context.Context, at *active) (*messages.Result, error) {
	a := at.Job.Args
	if err := w.cfg.Runtime.RemoveImage(ctx, a.Image, a.Force); err != nil {
		return nil, err
	}
	return &messages.Result{Deleted: []string{a.Image}}, nil
}

func (w *Worker) opPrune(ctx context.Context, _ *active) (*messages.Result, error) {
	r, err := w.cfg.Runtime.PruneImages(ctx)
	return &messages.Result{Deleted: r.Deleted, Reclaimed: r.SpaceReclaimed}, err
}

// containerResult is where a container stands after an op.
func (w *Worker) containerResult(ctx context.Context, id runtime.ContainerID, changed *bool) (*messages.Result, error) {
	d, err := w.cfg.Runtime.Inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	r := &messages.Result{Container: id.String(), State: string(d.State.Phase), Changed: changed, Runtime: d.Runtime}
	if d.State.Phase == runtime.PhaseExited {
		code := d.State.ExitCode
		r.ExitCode, r.ExitReason = &code, d.ExitReason
	}
	return r, nil
}

func timeoutOr(at *active, fallback time.Duration) time.Duration {
	if t := at.Job.Args.Timeout.Std(); t > 0 {
		return t
	}
	return fallback
}
