package worker_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// setDeafToStop makes stops hang.
func (f *faultyRuntime) setDeafToStop(deaf bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deaf = deaf
}

// holdsAStop makes the next stop wait until the func that it returns is called.
func (f *faultyRuntime) holdsAStop() (goOn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	held := make(chan struct{})
	f.held = held
	return func() { close(held) }
}

func (f *faultyRuntime) Stop(ctx context.Context, id runtime.ContainerID, timeout time.Duration) error {
	f.mu.Lock()
	deaf, held := f.deaf, f.held
	f.held = nil
	f.mu.Unlock()
	if deaf {
		<-ctx.Done()
		return ctx.Err()
	}
	if held != nil {
		<-held
	}
	return f.Runtime.Stop(ctx, id, timeout)
}

// Two who ask for one container's end, by its two names, stand in two lines. The
// container stays until both have seen how it ended.
func TestEveryoneWhoAskedForTheEndSeesIt(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.send(placed(service("web", "sleep", "3600"), 1))
		time.Sleep(time.Second)
		rename := on("web-rep-0", messages.OpRename, messages.Args{NewName: "shop"})
		rename.ID = "rename"
		if o := r.send(rename, messages.HeaderWait, wait); o.Status != messages.StatusCompleted {
			t.Fatalf("the rename is %s, %v", o.Status, o.Error)
		}
		stop := func(id, container string) (answer chan messages.Outcome) {
			job := on(container, messages.OpStop, messages.Args{})
			job.ID, answer = id, make(chan messages.Outcome, 1)
			go func() { answer <- r.send(job, messages.HeaderWait, wait) }()
			synctest.Wait()
			return answer
		}
		goOn := r.faulty.holdsAStop()
		first := stop("first", "web-rep-0")
		if o := <-stop("second", "shop"); o.Status != messages.StatusCompleted {
			t.Errorf("the second stop is %s, %v", o.Status, o.Error)
		}
		time.Sleep(time.Minute)
		goOn()
		if o := <-first; o.Status != messages.StatusCompleted || o.Result.State != "exited" {
			t.Errorf("the first stop is %s, %+v, %v; want that it has seen the end", o.Status, o.Result, o.Error)
		}
		time.Sleep(time.Minute)
		if got := r.containers(); got != "" {
			t.Errorf("left behind: %q", got)
		}
	})
}
