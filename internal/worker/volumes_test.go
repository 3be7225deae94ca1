package worker_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// SyncVolumes fails as often as it is told to.
func (f *faultyRuntime) SyncVolumes(ctx context.Context, id runtime.ContainerID, opts runtime.SyncOptions) ([]messages.VolumeBytes, error) {
	volumes, err := f.Runtime.SyncVolumes(ctx, id, opts)
	state, _ := f.Runtime.State(ctx, id)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.syncs++
	if state.Phase == runtime.PhaseRunning {
		return nil, fmt.Errorf("it runs: %w", errdefs.ErrInternal)
	}
	if f.syncFor > 0 {
		f.syncFor--
		for i := range volumes {
			volumes[i].Reason = f.syncErr.Error()
		}
		return volumes, f.syncErr
	}
	return volumes, err
}

func (f *faultyRuntime) Remove(ctx context.Context, id runtime.ContainerID, opts runtime.RemoveOptions) error {
	f.mu.Lock()
	f.atRemove = f.syncs
	f.mu.Unlock()
	return f.Runtime.Remove(ctx, id, opts)
}

func withVolume(job messages.Job) messages.Job {
	job.Spec.Mounts = []messages.Mount{{Type: messages.MountVolume, Source: "data", Target: "/data", Copy: "registry.example/team/data:live"}}
	return job
}

// However a container ends, its volumes are saved after that, and before it is
// removed; a registry that is away for a while is waited for.
func TestVolumesAreSavedBetweenStopAndRemove(t *testing.T) {
	ended := func(r *rig) messages.Outcome { time.Sleep(time.Minute); return r.last("web") }
	for name, c := range map[string]struct {
		job messages.Job
		end func(r *rig) messages.Outcome
	}{
		"exit":   {task("web", "exit", "3"), ended},
		"revoke": {task("web", "sleep", "3600"), func(r *rig) messages.Outcome { return r.send(revoke("web", 1)) }},
		"stop": {service("web", "sleep", "3600"), func(r *rig) messages.Outcome {
			r.send(messages.Job{V: 1, ID: "stop-1", Op: messages.OpStop, Target: "linux-1", Container: "web-rep-0"})
			return ended(r)
		}},
		"remove": {service("web", "sleep", "3600"), func(r *rig) messages.Outcome {
			r.send(messages.Job{V: 1, ID: "remove-1", Op: messages.OpRemove, Target: "linux-1", Container: "web-rep-0", Args: messages.Args{Force: true}})
			time.Sleep(time.Minute)
			return r.last("remove-1")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(t *testing.T, r *rig) {
				r.faulty.syncFor, r.faulty.syncErr = 3, fmt.Errorf("the registry is away: %w", errdefs.ErrUnavailable)
				r.send(placed(withVolume(c.job), 1))
				synctest.Wait()
				o := c.end(r)
				want := messages.VolumeBytes{Name: "data", Copy: "registry.example/team/data:live"}
				if o.Result == nil || len(o.Result.Volumes) != 1 || o.Result.Volumes[0] != want {
					t.Errorf("the outcome is %s with %+v, want the volume, saved", o.Status, o.Result)
				}
				synctest.Wait()
				if got := r.containers(); got != "" {
					t.Errorf("left: %s", got)
				}
				if r.faulty.atRemove < 4 {
					t.Errorf("removed after %d tries to save, the first three of which failed", r.faulty.atRemove)
				}
			})
		})
	}
}

// What cannot be copied is said, and ends nothing.
func TestVolumeThatIsNotCopiedSaysWhy(t *testing.T) {
	for name, err := range map[string]error{
		"for good": fmt.Errorf("it was taken over: %w", errdefs.ErrFailedPrecondition),
		"for long": fmt.Errorf("the registry is away: %w", errdefs.ErrUnavailable),
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(t *testing.T, r *rig) {
				r.faulty.syncFor, r.faulty.syncErr = 1<<30, err
				r.send(placed(withVolume(task("web", "true")), 1))
				time.Sleep(20 * time.Minute)
				o := r.last("web")
				if o.Status != messages.StatusCompleted || len(o.Result.Volumes) != 1 || o.Result.Volumes[0].Reason != err.Error() {
					t.Errorf("the outcome is %s with %+v, want completed, and the reason", o.Status, o.Result)
				}
			})
		})
	}
}

// A worker that is killed while it saves goes on with that.
func TestVolumesAreSavedByTheNextWorker(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.faulty.syncFor, r.faulty.syncErr = 1<<30, fmt.Errorf("the registry is away: %w", errdefs.ErrUnavailable)
		r.send(placed(withVolume(task("web", "true")), 1))
		time.Sleep(time.Minute)
		r.restart()
		o := r.last("web")
		if o.Status != messages.StatusCompleted || len(o.Result.Volumes) != 1 || o.Result.Volumes[0].Reason != "" || r.faulty.syncs == 0 {
			t.Errorf("the outcome is %s with %+v after %d syncs", o.Status, o.Result, r.faulty.syncs)
		}
		if a, err := r.journal.Attempt("web", 1); err != nil || a.Phase != journal.PhaseEnded {
			t.Errorf("the journal has %+v, %v", a, err)
		}
	})
}
