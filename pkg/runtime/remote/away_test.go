package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/remote"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

func newConfig(t *testing.T, f *farEnd) remote.Config {
	f.t = t
	return remote.Config{Dial: f.dial, Logger: testLog(t)}
}

// lasting is a container that runs until it is stopped.
func lasting(t *testing.T, rt runtime.Runtime) runtime.ContainerID {
	t.Helper()
	id := runtime.ContainerID{Service: "web"}
	_, err := rt.Pull(t.Context(), toybox, runtime.PullOptions{})
	must(t, err)
	must(t, rt.Create(t.Context(), id, &messages.Spec{Image: toybox, Entrypoint: []string{"sleep"}, Args: []string{"3600"}}, runtime.CreateOptions{}))
	must(t, rt.Start(t.Context(), id))
	return id
}

// While the far end is away every call is Unavailable at once, those under way
// included, and says why. When it is there again, so is what it holds.
func TestAFarEndThatGoesAwayAndComesBack(t *testing.T) {
	f := &farEnd{rt: memory.New(newMachine(t))}
	r := near(t, f)
	id := lasting(t, r)
	waiting := make(chan error, 1)
	go func() {
		_, err := r.Wait(t.Context(), id)
		waiting <- err
	}()
	f.refuses(errors.New("no distribution of that name"))
	f.now().far.Close()
	if err := <-waiting; !errdefs.IsUnavailable(err) || !runtime.Retryable(err) {
		t.Errorf("the call under way: %v", err)
	}
	until(t, "it is dialled in vain", func() bool { return f.dialled() > 2 })
	for _, op := range runtimetest.Operations() {
		spy := &runtimetest.Spy{}
		got := spy.Invoke(t, r, op).Results
		err, _ := got[len(got)-1].(error)
		if !errdefs.IsUnavailable(err) || !strings.Contains(err.Error(), "no distribution of that name") {
			t.Errorf("%s while it is away: %v", op, err)
		}
	}
	f.refuses(nil)
	await(t, r)
	if state, err := r.State(t.Context(), id); err != nil || state.Phase != runtime.PhaseRunning {
		t.Errorf("when it is there again: %+v, %v", state, err)
	}
}

// Both ends say goodbye when they leave in good order, and why.
func TestGoodbyes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &farEnd{rt: memory.New(newMachine(t))}
		r, err := remote.New(newConfig(t, f))
		must(t, err)
		must(t, r.Await(t.Context()))
		id := lasting(t, r)
		first := f.now()
		go first.end(errors.New("the machine is shut down"))
		if _, err := r.Wait(t.Context(), id); !errdefs.IsUnavailable(err) {
			t.Errorf("a call under way: %v", err)
		}
		synctest.Wait()
		if _, err := r.List(t.Context()); err == nil || !strings.Contains(err.Error(), "it said goodbye: the machine is shut down") {
			t.Errorf("a call after that: %v", err)
		}
		if <-first.over; first.err != nil {
			t.Errorf("a far end that was told to leave: %v", first.err)
		}
		must(t, r.Await(t.Context()))
		second := f.now()
		must(t, r.Close())
		if <-second.over; !errors.Is(second.err, remote.ErrLeft) {
			t.Errorf("a far end whose near end left: %v", second.err)
		}
		if _, err := r.List(t.Context()); !errdefs.IsUnavailable(err) {
			t.Errorf("a call after Close: %v", err)
		}
	})
}

// A far end that stands still is noticed, and dialled anew.
func TestAFarEndThatStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frozen chan struct{}
		f := &farEnd{rt: memory.New(newMachine(t)), bend: func(near io.ReadWriteCloser) io.ReadWriteCloser {
			frozen = make(chan struct{})
			return &freezing{ReadWriteCloser: near, frozen: frozen, closed: make(chan struct{})}
		}}
		r, err := remote.New(newConfig(t, f))
		must(t, err)
		must(t, r.Await(t.Context()))
		id := lasting(t, r)
		close(frozen)
		began := time.Now()
		_, err = r.Wait(t.Context(), id)
		if took := time.Since(began); !errdefs.IsUnavailable(err) || took > 25*time.Second {
			t.Errorf("a call to it: %v, after %v", err, took)
		}
		time.Sleep(time.Second)
		must(t, r.Await(t.Context()))
		if _, err := r.State(t.Context(), id); err != nil || f.dialled() != 2 {
			t.Errorf("after %d dials: %v", f.dialled(), err)
		}
		must(t, r.Close())
		<-f.now().over
	})
}

// freezing is a pipe through which nothing comes any more once it is frozen.
type freezing struct {
	io.ReadWriteCloser
	frozen, closed chan struct{}
}

func (p *freezing) Write(data []byte) (int, error) {
	select {
	case <-p.frozen:
		return len(data), nil // into nothing
	default:
		return p.ReadWriteCloser.Write(data)
	}
}

// It is dialled again and again, with pauses that grow up to a limit, and not
// given up.
func TestPausesGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &farEnd{rt: memory.New(newMachine(t)), refuse: errors.New("nobody is there")}
		r, err := remote.New(newConfig(t, f))
		must(t, err)
		time.Sleep(time.Minute)
		first := f.dialled()
		time.Sleep(time.Hour)
		second := f.dialled() - first
		if first < 8 || first > 20 || second < 80 || second > 240 {
			t.Errorf("%d dials in the first minute, %d in the hour after it", first, second)
		}
		f.refuses(nil)
		must(t, r.Await(t.Context()))
		must(t, r.Close())
		<-f.now().over
	})
}

// Who says nothing is given up after a time, and so is who has only said hello.
func TestAFarEndThatSaysNothing(t *testing.T) {
	for said, want := range map[string]string{
		"": "has not answered within 2m0s",
		"\x89SHUNT-DELEGATE\r\n\x1a\n{\"protocol\":1}\n": "the delegate has gone away in the middle of it",
	} {
		synctest.Test(t, func(t *testing.T) {
			var dials atomic.Int64
			r, err := remote.New(remote.Config{Logger: testLog(t), Dial: func(context.Context) (io.ReadWriteCloser, error) {
				dials.Add(1)
				return &silent{Reader: strings.NewReader(said), closed: make(chan struct{})}, nil
			}})
			must(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 121*time.Second)
			defer cancel()
			if err := r.Await(ctx); !errdefs.IsUnavailable(err) || !strings.Contains(err.Error(), want) || dials.Load() < 2 {
				t.Errorf("after %d dials: %v, want %q", dials.Load(), err, want)
			}
			must(t, r.Close())
		})
	}
}

// silent is a pipe to somebody who says no more than Reader has.
type silent struct {
	io.Reader
	closed chan struct{}
	once   sync.Once
}

func (s *silent) Read(p []byte) (int, error) {
	if n, err := s.Reader.Read(p); err == nil {
		return n, nil
	}
	<-s.closed
	return 0, io.ErrClosedPipe
}

func (s *silent) Write(p []byte) (int, error) { return len(p), nil }

func (s *silent) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// A far end without a runtime says so, and why.
func TestAFarEndThatDeclines(t *testing.T) {
	near, far := pipe()
	go func() {
		_ = remote.Decline(far, fmt.Errorf("containerd is not there: %w", errdefs.ErrUnavailable), remote.ServeConfig{})
	}()
	dialled := make(chan io.ReadWriteCloser, 1)
	dialled <- near
	r, err := remote.New(remote.Config{Logger: testLog(t), Dial: func(ctx context.Context) (io.ReadWriteCloser, error) {
		select {
		case p := <-dialled:
			return p, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}})
	must(t, err)
	defer r.Close()
	until(t, "it is said why", func() bool {
		_, err := r.List(t.Context())
		return errdefs.IsUnavailable(err) && strings.Contains(err.Error(), "the delegate has no runtime: containerd is not there")
	})
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	f := &farEnd{}
	for want, cfg := range map[string]remote.Config{
		"Dial is nil":                {},
		"Quiet: -1s is not allowed;": {Dial: f.dial, Quiet: -time.Second},
	} {
		if _, err := remote.New(cfg); !errdefs.IsInvalidArgument(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
