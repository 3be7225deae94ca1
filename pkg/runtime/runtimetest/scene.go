package runtimetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// patience is how long a case may take. It bounds a suite that hangs; no case
// waits for it.
const patience = 90 * time.Second

// A scene is what a case works with: the runtime, a context that ends with the
// test, and short words for what cases do most. Its helpers end the test when
// something fails that is not what the case is about.
type scene struct {
	*testing.T
	cfg Config
	rt  runtime.Runtime
	ctx context.Context
}

func newScene(t *testing.T, cfg Config) *scene {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &scene{T: t, cfg: cfg, rt: cfg.New(t), ctx: ctx}
}

// with is the scene in a subtest: what it makes there is gone at its end.
func (s *scene) with(t *testing.T) *scene {
	in := *s
	in.T = t
	return &in
}

// image pulls the suite's image.
func (s *scene) image() string {
	s.Helper()
	ref := s.cfg.Image(s.T)
	if _, err := s.rt.Pull(s.ctx, ref, runtime.PullOptions{Platform: s.cfg.Platform}); err != nil {
		s.Fatalf("pull %s: %v", ref, err)
	}
	return ref
}

// id makes an id that nobody else has; what is made under it is removed when
// the test ends.
func (s *scene) id() runtime.ContainerID {
	id := runtime.ContainerID{Service: "t-" + strings.ToLower(rand.Text()[:12])}
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.Context()), patience)
		defer cancel()
		err := s.rt.Remove(ctx, id, runtime.RemoveOptions{Force: true, Volumes: true})
		if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsNotImplemented(err) {
			s.Errorf("clean-up of %s: %v", id, err)
		}
	})
	return id
}

func (s *scene) spec(argv ...string) *messages.Spec {
	s.Helper()
	return &messages.Spec{Image: s.image(), Entrypoint: argv[:1], Args: argv[1:]}
}

func (s *scene) make(id runtime.ContainerID, spec *messages.Spec) error {
	return s.rt.Create(s.ctx, id, spec, runtime.CreateOptions{
		Owner:    runtime.Owner{Job: "job-" + id.Service, Attempt: 7},
		Platform: s.cfg.Platform,
	})
}

// created is a container that is not started.
func (s *scene) created(argv ...string) runtime.ContainerID {
	s.Helper()
	id := s.id()
	if err := s.make(id, s.spec(argv...)); err != nil {
		s.Fatalf("create %v: %v", argv, err)
	}
	return id
}

// started is a container whose program was started.
func (s *scene) started(argv ...string) runtime.ContainerID {
	s.Helper()
	id := s.created(argv...)
	s.must(s.rt.Start(s.ctx, id))
	return id
}

// lasting is a container that runs until it is stopped.
func (s *scene) lasting() runtime.ContainerID {
	s.Helper()
	return s.started("sleep", "3600")
}

// listening is a lasting container whose program has come as far as to say so:
// one that is only just starting may not know yet what to do with a signal.
func (s *scene) listening() runtime.ContainerID {
	s.Helper()
	id := s.started("sh", "-c", "echo up; sleep 3600")
	s.until("the program is up", func() bool {
		return s.output(id, runtime.Stdout, runtime.LogOptions{Tail: -1}) == "up\n"
	})
	return id
}

// ended is a container whose program has come to its end.
func (s *scene) ended(argv ...string) runtime.ContainerID {
	s.Helper()
	id := s.started(argv...)
	s.wait(id)
	return id
}

// wait waits for the container's end.
func (s *scene) wait(id runtime.ContainerID) runtime.WaitOutcome {
	s.Helper()
	outcome, err := s.rt.WaitOutcome(s.ctx, id, messages.WaitNotRunning)
	if err != nil {
		s.Fatalf("wait for %s: %v", id, err)
	}
	return outcome
}

func (s *scene) state(id runtime.ContainerID) runtime.State {
	s.Helper()
	state, err := s.rt.State(s.ctx, id)
	if err != nil {
		s.Fatalf("state of %s: %v", id, err)
	}
	return state
}

// output is what the container has written to a stream.
func (s *scene) output(id runtime.ContainerID, stream runtime.Stream, opts runtime.LogOptions) string {
	s.Helper()
	var out strings.Builder
	for entry, err := range s.rt.Logs(s.ctx, id, opts) {
		if err != nil {
			s.Fatalf("logs of %s: %v", id, err)
		}
		if entry.Stream == stream {
			out.Write(entry.Message)
		}
	}
	return out.String()
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// wantState asserts a phase, and an exit code for PhaseExited.
func (s *scene) wantState(id runtime.ContainerID, phase runtime.Phase, code int) {
	s.Helper()
	if got := s.state(id); got.Phase != phase || got.ExitCode != code {
		s.Errorf("%s is %s with exit code %d, want %s with %d", id, got.Phase, got.ExitCode, phase, code)
	}
}

// wantCode asserts an error's class, by its name on the wire.
func (s *scene) wantCode(what string, err error, want messages.Code) {
	s.Helper()
	if err == nil {
		s.Errorf("%s: no error, want one of class %s", what, want)
	} else if got := runtime.CodeOf(err); got != want {
		s.Errorf("%s: error of class %s, want %s: %v", what, got, want, err)
	}
}

// until polls a condition that no operation waits for.
func (s *scene) until(what string, holds func() bool) {
	s.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			s.Fatalf("waited in vain until %s", what)
		}
	}
}

// subject is what a call is about, with the suite's image.
func (s *scene) subject(id runtime.ContainerID) subject {
	return subject{id: id, image: s.cfg.Image(s.T), platform: s.cfg.Platform}
}

// lacking asserts that an operation answers NotImplemented, for a container
// that lives as much as the runtime can make one live.
func (s *scene) lacking(op string) {
	id := s.id()
	if len(intersect(s.cfg.Lacks, []string{"Pull", "Create", "Start"})) == 0 {
		id = s.lasting()
	}
	for _, c := range calls() {
		if c.op == op {
			s.wantCode(fmt.Sprintf("%s, which the runtime is said to lack", op),
				c.do(s.ctx, s.rt, s.subject(id)), messages.CodeNotImplemented)
		}
	}
}
