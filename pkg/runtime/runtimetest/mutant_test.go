package runtimetest_test

import (
	"bytes"
	"context"
	"iter"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

// mutantVariable names the mutant that a child process runs the suite on.
const mutantVariable = "SHUNT_RUNTIMETEST_MUTANT"

// mutants are Runtimes with one thing wrong, each under the case that has to
// see it.
var mutants = map[string]func(runtime.Runtime) runtime.Runtime{
	"exit_code_n": func(rt runtime.Runtime) runtime.Runtime { return exitsWell{rt} },
	"second_create_is_already_exists_and_harms_nothing": func(rt runtime.Runtime) runtime.Runtime { return overwrites{rt} },
	"of_concurrent_creates_exactly_one_wins":            func(rt runtime.Runtime) runtime.Runtime { return overwrites{rt} },
	"remove_running_needs_force":                        func(rt runtime.Runtime) runtime.Runtime { return removesAll{rt} },
	"list_and_inspect_know_the_container":               func(rt runtime.Runtime) runtime.Runtime { return listsNothing{rt} },
	"a_restart_finds_its_containers_again":              func(rt runtime.Runtime) runtime.Runtime { return listsNothing{rt} },
	"a_cancelled_context_ends_every_operation":          func(rt runtime.Runtime) runtime.Runtime { return listsNothing{rt} },
	"an_unknown_id_is_not_found":                        func(rt runtime.Runtime) runtime.Runtime { return knowsAll{rt} },
	"kill_with_an_unknown_signal_is_invalid_argument":   func(rt runtime.Runtime) runtime.Runtime { return killsAnyway{rt} },
	"stop_kills_after_the_timeout":                      func(rt runtime.Runtime) runtime.Runtime { return stopsKindly{rt} },
	"stop_ends_by_the_stop_signal":                      func(rt runtime.Runtime) runtime.Runtime { return stopsKindly{rt} },
	"logs_are_exact":                                    func(rt runtime.Runtime) runtime.Runtime { return trims{rt} },
	"exec_stream_ends_with_exactly_one_exit":            func(rt runtime.Runtime) runtime.Runtime { return exitsTwice{rt} },
	"wait_of_what_never_ran_is_failed_precondition":     func(rt runtime.Runtime) runtime.Runtime { return exitsWell{rt} },
	"pull_of_a_missing_image_is_not_found":              func(rt runtime.Runtime) runtime.Runtime { return pullsAll{rt} },
	"in_running":                                        func(rt runtime.Runtime) runtime.Runtime { return startsAgain{rt} },
	"in_created":                                        func(rt runtime.Runtime) runtime.Runtime { return killsNothing{rt} },
	"in_exited":                                         func(rt runtime.Runtime) runtime.Runtime { return refusesStop{rt} },
	"in_absent":                                         func(rt runtime.Runtime) runtime.Runtime { return knowsAll{rt} },
	"in_paused":                                         func(rt runtime.Runtime) runtime.Runtime { return thaws{rt} },
	"in_running_Stop":                                   func(rt runtime.Runtime) runtime.Runtime { return stopsKindly{rt} },
	"in_running_Stop_cut_off":                           func(rt runtime.Runtime) runtime.Runtime { return deafToContexts{rt} },
	"in_running_Kill":                                   func(rt runtime.Runtime) runtime.Runtime { return deafToContexts{rt} },
	"in_running_Remove_by_force":                        func(rt runtime.Runtime) runtime.Runtime { return removesTwice{rt} },
	"in_paused_Unpause":                                 func(rt runtime.Runtime) runtime.Runtime { return thaws{rt} },
	"at_once_created_Start":                             func(rt runtime.Runtime) runtime.Runtime { return startsAgain{rt} },
	"at_once_running_Remove_by_force":                   func(rt runtime.Runtime) runtime.Runtime { return removesTwice{rt} },
	"at_once_absent_Create":                             func(rt runtime.Runtime) runtime.Runtime { return overwrites{rt} },
	"at_once_running_everything":                        func(rt runtime.Runtime) runtime.Runtime { return refusesStop{rt} },
	"bad_arguments":                                     func(rt runtime.Runtime) runtime.Runtime { return killsAnyway{rt} },
	"exec_ends_once_by_its_exit":                        func(rt runtime.Runtime) runtime.Runtime { return exitsTwice{rt} },
	"exec_ends_once_with_its_container":                 func(rt runtime.Runtime) runtime.Runtime { return neverExits{rt} },
	"exec_ends_once_with_its_caller":                    func(rt runtime.Runtime) runtime.Runtime { return neverExits{rt} },
	"logs_tail_since_and_follow_together":               func(rt runtime.Runtime) runtime.Runtime { return ignoresSince{rt} },
	"logs_outlive_their_container":                      func(rt runtime.Runtime) runtime.Runtime { return forgetsLogs{rt} },
	"lacks_Commit":                                      func(rt runtime.Runtime) runtime.Runtime { return commitsNothing{rt} },
}

type (
	exitsWell      struct{ runtime.Runtime }
	overwrites     struct{ runtime.Runtime }
	removesAll     struct{ runtime.Runtime }
	listsNothing   struct{ runtime.Runtime }
	knowsAll       struct{ runtime.Runtime }
	killsAnyway    struct{ runtime.Runtime }
	stopsKindly    struct{ runtime.Runtime }
	trims          struct{ runtime.Runtime }
	exitsTwice     struct{ runtime.Runtime }
	pullsAll       struct{ runtime.Runtime }
	commitsNothing struct{ runtime.Runtime }
	startsAgain    struct{ runtime.Runtime }
	killsNothing   struct{ runtime.Runtime }
	refusesStop    struct{ runtime.Runtime }
	removesTwice   struct{ runtime.Runtime }
	thaws          struct{ runtime.Runtime }
	deafToContexts struct{ runtime.Runtime }
	leavesWaiters  struct{ runtime.Runtime }
	neverExits     struct{ runtime.Runtime }
	ignoresSince   struct{ runtime.Runtime }
	forgetsLogs    struct{ runtime.Runtime }
)

func (m exitsWell) Wait(ctx context.Context, id runtime.ContainerID) (int, error) {
	if _, err := m.Runtime.Wait(ctx, id); err != nil && !errdefs.IsFailedPrecondition(err) {
		return 0, err
	}
	return 0, nil
}

func (m overwrites) Create(ctx context.Context, id runtime.ContainerID, spec *messages.Spec, opts runtime.CreateOptions) error {
	err := m.Runtime.Create(ctx, id, spec, opts)
	if errdefs.IsAlreadyExists(err) {
		return nil // and the caller takes it for its own
	}
	return err
}

func (m removesAll) Remove(ctx context.Context, id runtime.ContainerID, _ runtime.RemoveOptions) error {
	return m.Runtime.Remove(ctx, id, runtime.RemoveOptions{Force: true})
}

func (listsNothing) List(context.Context) ([]runtime.Container, error) { return nil, nil }

func (m knowsAll) State(ctx context.Context, id runtime.ContainerID) (runtime.State, error) {
	state, err := m.Runtime.State(ctx, id)
	if errdefs.IsNotFound(err) {
		return runtime.State{Phase: runtime.PhasePending}, nil
	}
	return state, err
}

func (m killsAnyway) Kill(ctx context.Context, id runtime.ContainerID, signal string) error {
	err := m.Runtime.Kill(ctx, id, signal)
	if errdefs.IsInvalidArgument(err) {
		return m.Runtime.Kill(ctx, id, "KILL")
	}
	return err
}

func (m stopsKindly) Stop(ctx context.Context, id runtime.ContainerID, _ time.Duration) error {
	return m.Runtime.Kill(ctx, id, "WINCH")
}

func (m trims) Logs(ctx context.Context, id runtime.ContainerID, opts runtime.LogOptions) iter.Seq2[runtime.LogEntry, error] {
	return func(yield func(runtime.LogEntry, error) bool) {
		for entry, err := range m.Runtime.Logs(ctx, id, opts) {
			entry.Message = bytes.TrimSpace(entry.Message)
			if !yield(entry, err) {
				return
			}
		}
	}
}

func (m exitsTwice) ExecStream(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) iter.Seq2[runtime.ExecEvent, error] {
	return func(yield func(runtime.ExecEvent, error) bool) {
		for event, err := range m.Runtime.ExecStream(ctx, id, opts) {
			if !yield(event, err) || event.Exit != nil && !yield(event, err) {
				return
			}
		}
	}
}

func (m pullsAll) Pull(ctx context.Context, ref string, opts runtime.PullOptions) (runtime.ImageInfo, error) {
	info, err := m.Runtime.Pull(ctx, ref, opts)
	if errdefs.IsNotFound(err) {
		return runtime.ImageInfo{Reference: ref}, nil
	}
	return info, err
}

func (m startsAgain) Start(ctx context.Context, id runtime.ContainerID) error {
	return unless(errdefs.IsFailedPrecondition, m.Runtime.Start(ctx, id))
}

func (m killsNothing) Kill(ctx context.Context, id runtime.ContainerID, signal string) error {
	return unless(errdefs.IsFailedPrecondition, m.Runtime.Kill(ctx, id, signal))
}

func (m refusesStop) Stop(ctx context.Context, id runtime.ContainerID, timeout time.Duration) error {
	if state, err := m.State(ctx, id); err == nil && state.Phase.Ended() {
		return errdefs.ErrFailedPrecondition
	}
	if err := m.Runtime.Stop(ctx, id, timeout); err != nil {
		return err
	}
	return errdefs.ErrUnknown // although it did
}

func (m removesTwice) Remove(ctx context.Context, id runtime.ContainerID, opts runtime.RemoveOptions) error {
	return unless(errdefs.IsNotFound, m.Runtime.Remove(ctx, id, opts))
}

// Rename lets a paused container go on.
func (m thaws) Rename(ctx context.Context, id runtime.ContainerID, name string) error {
	_ = m.Unpause(ctx, id) // it may not be paused
	return m.Runtime.Rename(ctx, id, name)
}

func (m thaws) Unpause(ctx context.Context, id runtime.ContainerID) error {
	return unless(errdefs.IsFailedPrecondition, m.Runtime.Unpause(ctx, id))
}

func (m deafToContexts) Stop(ctx context.Context, id runtime.ContainerID, timeout time.Duration) error {
	if at, ok := ctx.Deadline(); !ok || time.Until(at) > time.Second {
		return m.Runtime.Stop(ctx, id, timeout) // nobody gives up soon
	}
	<-ctx.Done()
	return errdefs.ErrUnavailable
}

func (m deafToContexts) Kill(_ context.Context, id runtime.ContainerID, signal string) error {
	return m.Runtime.Kill(context.Background(), id, signal)
}

func (m leavesWaiters) Start(ctx context.Context, id runtime.ContainerID) error {
	never := make(chan struct{})
	go func() { <-never }()
	return m.Runtime.Start(ctx, id)
}

func (m neverExits) ExecStream(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) iter.Seq2[runtime.ExecEvent, error] {
	return func(yield func(runtime.ExecEvent, error) bool) {
		for event, err := range m.Runtime.ExecStream(ctx, id, opts) {
			if err != nil || event.Exit != nil || !yield(event, err) {
				return
			}
		}
	}
}

func (m ignoresSince) Logs(ctx context.Context, id runtime.ContainerID, opts runtime.LogOptions) iter.Seq2[runtime.LogEntry, error] {
	opts.Since = time.Time{}
	return m.Runtime.Logs(ctx, id, opts)
}

func (m forgetsLogs) Logs(ctx context.Context, id runtime.ContainerID, opts runtime.LogOptions) iter.Seq2[runtime.LogEntry, error] {
	if _, err := m.State(ctx, id); err != nil {
		return func(func(runtime.LogEntry, error) bool) {}
	}
	return m.Runtime.Logs(ctx, id, opts)
}

// unless is no error where it is one of a class.
func unless(is func(error) bool, err error) error {
	if is(err) {
		return nil
	}
	return err
}

func (commitsNothing) Commit(context.Context, runtime.ContainerID, string) (runtime.ImageInfo, error) {
	return runtime.ImageInfo{}, nil
}

// TestTheSuiteSeesWhatIsWrong runs one case on its mutant, in a process of its
// own since the case has to fail.
func TestTheSuiteSeesWhatIsWrong(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name := range mutants {
		t.Run(name, func(t *testing.T) {
			tries := 1
			if strings.HasPrefix(name, "at_once_") {
				tries = 20 // what is wrong shows in some orders of the calls, and the order is the scheduler's
			}
			var out []byte
			var err error
			for range tries {
				cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestMutant$/^"+name+"$", "-test.v")
				cmd.Env = append(os.Environ(), mutantVariable+"="+name)
				out, err = cmd.CombinedOutput()
				if err != nil && strings.Contains(string(out), "--- FAIL: TestMutant/"+name) {
					return
				}
			}
			t.Errorf("the case does not see the mutant (%v):\n%s", err, out)
		})
	}
}

// TestTheSuiteSeesAsAWhole is of what no single case sees.
func TestTheSuiteSeesAsAWhole(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ run, says string }{
		nothingLacks:   {"every_operation_is_covered", "operation Commit is in no case and not in Lacks"},
		waitersAreLeft: {"exit_code_zero", "goroutines are left"},
		someLeftOut:    {"exit_code_zero", "exec_runs_where_and_as_it_is_told would be, for the image lacks"},
	} {
		cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestMutant$/^"+c.run+"$")
		cmd.Env = append(os.Environ(), mutantVariable+"="+name)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: nobody says %q (%v):\n%s", name, c.says, err, out)
		}
	}
}

// What is wrong in other ways than in the answers of a Runtime.
const (
	nothingLacks   = "Lacks is empty"
	waitersAreLeft = "goroutines are left"
	someLeftOut    = "Whole, without the programs"
)

// TestMutant is the child's test; on its own it runs the suite on a Runtime
// with nothing wrong.
func TestMutant(t *testing.T) {
	name := os.Getenv(mutantVariable)
	wrong := mutants[name]
	switch {
	case name == waitersAreLeft:
		wrong = func(rt runtime.Runtime) runtime.Runtime { return leavesWaiters{rt} }
	case wrong == nil:
		wrong = func(rt runtime.Runtime) runtime.Runtime { return rt }
	}
	cfg := config(wrong(newMemory(t)))
	if name == nothingLacks {
		cfg.Lacks = nil
	}
	cfg.Whole = name == someLeftOut
	runtimetest.Run(t, cfg)
}
