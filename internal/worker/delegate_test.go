package worker_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/remote"
)

// delegated is a rig whose worker has a delegate for Windows containers.
type delegated struct {
	*rig
	far  *memory.Machine
	away atomic.Bool // it cannot be dialled
	mute atomic.Bool // what is sent to it does not arrive
	pipe atomic.Pointer[net.Conn]
}

func inDelegatedRig(t *testing.T, test func(t *testing.T, r *delegated)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &delegated{rig: newRig(t)}
		var err error
		if r.far, err = memory.NewMachine(memory.Config{Platforms: []messages.Platform{windows}, Images: images}); err != nil {
			t.Fatal(err)
		}
		far, err := remote.New(remote.Config{Dial: r.dial, Logger: r.cfg.Logger})
		if err != nil {
			t.Fatal(err)
		}
		if err := far.Await(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.cfg.Runtime, err = runtime.NewComposite(runtime.CompositeConfig{
			Primary:   runtime.Member{Runtime: memory.New(r.machine)},
			Delegates: []runtime.Member{{Runtime: far}}, Resolver: images, Logger: r.cfg.Logger,
		})
		if err != nil {
			t.Fatal(err)
		}
		r.begin()
		test(t, r)
		r.stop()
		if err := far.Close(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
}

// begin starts a worker over what the one before it left.
func (r *delegated) begin() {
	r.t.Helper()
	r.bus = &faultyBus{Bus: r.server.Connect("worker")}
	r.cfg.Bus = r.bus
	var err error
	if r.w, err = worker.Start(r.t.Context(), r.cfg); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

func (r *delegated) dial(context.Context) (io.ReadWriteCloser, error) {
	if r.away.Load() {
		return nil, errors.New("no distribution of that name")
	}
	near, far := net.Pipe()
	r.pipe.Store(&far)
	go func() {
		_ = remote.Serve(context.Background(), far, memory.New(r.far), remote.ServeConfig{Logger: r.cfg.Logger})
	}()
	return &muted{near, &r.mute}, nil
}

// muted is a pipe to somebody who may stand still.
type muted struct {
	net.Conn
	mute *atomic.Bool
}

func (m *muted) Write(p []byte) (int, error) {
	if m.mute.Load() {
		return len(p), nil
	}
	return m.Conn.Write(p)
}

// goesAway breaks the pipe, for good until it comes back.
func (r *delegated) goesAway() {
	r.away.Store(true)
	(*r.pipe.Load()).Close()
}

func (r *delegated) platforms() string {
	var all []string
	for _, p := range r.lastBeat().Platforms {
		all = append(all, p.Platform.String()+" "+p.Runtime)
	}
	return strings.Join(all, ", ")
}

func winTask(id string, cmd ...string) messages.Job {
	job := placed(task(id, cmd...), 1)
	job.Spec.Image = "team/win:1"
	return job
}

// While the delegate is away its platforms are not in the heartbeat, its jobs
// are answered, and what runs on it is waited for.
func TestADelegateThatIsAway(t *testing.T) {
	const both = "linux/amd64 primary, windows(10.0.20348)/amd64 delegate"
	inDelegatedRig(t, func(t *testing.T, r *delegated) {
		if got := r.platforms(); got != both {
			t.Errorf("the first heartbeat has %s", got)
		}
		r.send(winTask("runs", "sleep", "600"))
		time.Sleep(time.Minute)
		r.goesAway()
		time.Sleep(4 * time.Second)
		if got := r.platforms(); got != "linux/amd64 primary" {
			t.Errorf("while it is away the heartbeat has %s", got)
		}
		r.send(winTask("fails", "true"))
		other := winTask("other", "true")
		other.Spec.Platform = &messages.Platform{OS: messages.Linux, Arch: "arm64"}
		if o := r.send(other); o.Status != messages.StatusRouteToPeer || o.Route.Code != messages.RefusePlatform {
			t.Errorf("what neither could run is answered %s %v", o.Status, o.Error)
		}
		time.Sleep(time.Minute)
		if o := r.last("fails"); o.Status != messages.StatusFailed || o.Error.Code != messages.CodeUnavailable || !o.Error.Retryable {
			t.Errorf("what only it could run ends %s %v", o.Status, o.Error)
		}
		if got := r.said("runs"); got != "" {
			t.Errorf("of what runs on it, it has said %s", got)
		}
		r.away.Store(false)
		time.Sleep(time.Minute)
		if got := r.platforms(); got != both {
			t.Errorf("when it is there again the heartbeat has %s", got)
		}
		time.Sleep(10 * time.Minute)
		if o := r.last("runs"); o.Status != messages.StatusCompleted || o.Result.Runtime != "delegate" {
			t.Errorf("what runs on it ends %s %+v %v", o.Status, o.Result, o.Error)
		}
	})
}

// What ended on a delegate before the worker did is tidied away when both are
// there again.
func TestADelegateThatIsAwayWhenTheWorkerStarts(t *testing.T) {
	inDelegatedRig(t, func(t *testing.T, r *delegated) {
		job := winTask("ended", "true")
		job.Retain = messages.Duration(time.Minute)
		r.send(job)
		time.Sleep(10 * time.Second)
		r.stop()
		r.goesAway()
		r.begin()
		time.Sleep(5 * time.Minute)
		far := memory.New(r.far)
		if held, err := far.List(t.Context()); err != nil || len(held) != 1 {
			t.Fatalf("while it is away it holds %+v, %v", held, err)
		}
		r.away.Store(false)
		time.Sleep(5 * time.Minute)
		if held, err := far.List(t.Context()); err != nil || len(held) != 0 {
			t.Errorf("when it is there again it holds %+v, %v", held, err)
		}
	})
}

// A delegate that stands still holds up no heartbeat so long that the node is
// called lost.
func TestADelegateThatStandsStill(t *testing.T) {
	inDelegatedRig(t, func(t *testing.T, r *delegated) {
		time.Sleep(time.Minute)
		r.mute.Store(true)
		r.away.Store(true)
		time.Sleep(time.Minute)
		r.mu.Lock()
		beats := slices.Clone(r.beats)
		r.mu.Unlock()
		const limit = 7 * time.Second // a heartbeat less than their time-to-live
		for i := range beats[1:] {
			if gap := beats[i+1].At.Sub(beats[i].At); gap > limit {
				t.Errorf("%v between two heartbeats, want at most %v", gap, limit)
			}
		}
		if got := r.platforms(); got != "linux/amd64 primary" {
			t.Errorf("in the end it has %s", got)
		}
	})
}
