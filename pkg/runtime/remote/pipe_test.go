package remote_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/remote"
)

const toybox = "shunt.test/toybox:1"

var linux = messages.Platform{OS: messages.Linux, Arch: "amd64"}

// memoryLacks is what the memory runtime cannot do.
var memoryLacks = []string{
	"ImageHistory", "SearchImages", "SaveImages", "LoadImages", "ImportImage", "Stats", "StatsStream", "PID",
	"Top", "Changes", "CopyIn", "CopyOut", "Export", "Commit",
}

func newMachine(t testing.TB) *memory.Machine {
	t.Helper()
	m, err := memory.NewMachine(memory.Config{
		Platforms: []messages.Platform{linux}, Images: memory.StaticImages{toybox: {{Platform: linux}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func testLog(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// farEnd is where pipes lead to. Each is served by a process of its own, so to
// speak: a Serve with a context that kill ends.
type farEnd struct {
	t  testing.TB
	rt runtime.Runtime

	mu     sync.Mutex
	dials  int
	refuse error                                            // what dialling fails with
	bend   func(near io.ReadWriteCloser) io.ReadWriteCloser // what the near end gets
	last   *served
}

func pipe() (near, far net.Conn) { return net.Pipe() }

// served is one pipe.
type served struct {
	far  net.Conn
	end  context.CancelCauseFunc
	over chan struct{}
	err  error // what Serve has returned
}

func (f *farEnd) dial(context.Context) (io.ReadWriteCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials++
	if f.refuse != nil {
		return nil, f.refuse
	}
	near, far := pipe()
	ctx, end := context.WithCancelCause(context.Background())
	s := &served{far: far, end: end, over: make(chan struct{})}
	f.last = s
	go func() {
		defer close(s.over)
		s.err = remote.Serve(ctx, far, f.rt, remote.ServeConfig{Version: "1.2.3", Logger: testLog(f.t)})
	}()
	if f.bend != nil {
		return f.bend(near), nil
	}
	return near, nil
}

func (f *farEnd) now() *served {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

func (f *farEnd) refuses(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = err
}

func (f *farEnd) dialled() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dials
}

// near is a Runtime over a pipe to a far end, which is there.
func near(t testing.TB, f *farEnd) *remote.Runtime {
	t.Helper()
	f.t = t
	r, err := remote.New(remote.Config{Dial: f.dial, Logger: testLog(t), Pause: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if s := f.now(); s != nil {
			<-s.over
			if !errors.Is(s.err, remote.ErrLeft) && s.err != nil {
				t.Errorf("the far end has ended with %v", s.err)
			}
		}
	})
	await(t, r)
	return r
}

func await(t testing.TB, r *remote.Runtime) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := r.Await(ctx); err != nil {
		t.Fatal(err)
	}
}

// until waits for a condition.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("in vain: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
