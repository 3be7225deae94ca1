package worker_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

func (f *faultyRuntime) Pull(ctx context.Context, ref string, opts runtime.PullOptions) (runtime.ImageInfo, error) {
	if f.pulls != nil {
		if err := f.pulls(ctx, opts); err != nil {
			return runtime.ImageInfo{}, err
		}
	}
	return f.Runtime.Pull(ctx, ref, opts)
}

// heardEvents collects the messages of one kind of event.
func (r *rig) heardEvents(kind messages.EventKind) func() []messages.Event {
	r.t.Helper()
	var mu sync.Mutex
	var heard []messages.Event
	r.subscribe(root.Event("linux-1", kind), func(m bus.Message) {
		e, err := messages.Decode[messages.Event](m.Data)
		if err != nil {
			r.t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, e)
	})
	return func() []messages.Event {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(heard)
	}
}

// TestPullingIsTold has a pull tell its progress every 90 ms for 2.7 s.
func TestPullingIsTold(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		pulling := r.heardEvents(messages.EventPulling)
		r.faulty.pulls = func(_ context.Context, opts runtime.PullOptions) error {
			opts.Progress(runtime.PullProgress{Bytes: 500})
			time.Sleep(90 * time.Millisecond)
			for i := range 29 {
				opts.Progress(runtime.PullProgress{Layers: 7, LayersDone: i / 5, Bytes: 88_100_000, BytesDone: int64(i) * 1_230_000})
				time.Sleep(90 * time.Millisecond)
			}
			return nil
		}
		job := task("pull-1")
		job.Op, job.Spec, job.Args = messages.OpPull, nil, messages.Args{Image: "team/tool:1"}
		job.Target = "linux-1"
		if o := r.send(job, messages.HeaderWait, "1m"); o.Status != messages.StatusCompleted {
			t.Fatalf("pull: %s %v", o.Status, o.Error)
		}
		var said []string
		for _, e := range pulling() {
			said = append(said, e.Message)
			if e.Job != "pull-1" || e.Attempt != 1 {
				t.Errorf("an event is about %s/%d", e.Job, e.Attempt)
			}
		}
		want := []string{"the manifest", "2/7 layers, 12.3 of 88.1 MB", "4/7 layers, 25.8 of 88.1 MB"}
		if !slices.Equal(said, want) {
			t.Errorf("said %q, want %q: one a second", said, want)
		}
	})
}

func TestPullingIsNotToldOfWhatIsHere(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		pulling, pulled := r.heardEvents(messages.EventPulling), r.heardEvents(messages.EventPulled)
		for i, id := range []string{"first", "second"} {
			if o := r.send(task(id, "true"), messages.HeaderWait, "1m"); o.Status != messages.StatusCompleted {
				t.Fatalf("%s: %s %v", id, o.Status, o.Error)
			}
			if got := pulling(); len(got) != 1 {
				t.Errorf("after the %s job: %d times pulling, want only the first job's", id, len(got))
			}
			if got := pulled(); len(got) != i+1 {
				t.Errorf("after the %s job: %d times pulled, want one a job", id, len(got))
			}
		}
	})
}
