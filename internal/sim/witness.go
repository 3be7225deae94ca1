package sim

import (
	"context"
	"fmt"
	"sync"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

// witness sees what really happens on a machine: it stands between the machine
// and all that can go wrong in asking it.
type witness struct {
	*memory.Runtime
	of *node
}

// sight is what the witnesses of a machine remember.
type sight struct {
	mu    sync.Mutex
	made  int
	holds map[runtime.ContainerID]holding
}

// holding is a container.
type holding struct {
	name  string // unlike that of any other on the node
	owner runtime.Owner
	seen  <-chan struct{} // closed when the end of its last start was; nil: there was none
}

// Create implements runtime.Lifecycle.
func (w witness) Create(ctx context.Context, id runtime.ContainerID, spec *messages.Spec, opts runtime.CreateOptions) error {
	w.of.sight.mu.Lock()
	defer w.of.sight.mu.Unlock()
	err := w.Runtime.Create(ctx, id, spec, opts)
	if err == nil {
		w.of.sight.made++
		w.of.sight.holds[id] = holding{name: fmt.Sprintf("%s#%d", id, w.of.sight.made), owner: opts.Owner}
	}
	return err
}

// Start implements runtime.Lifecycle.
func (w witness) Start(ctx context.Context, id runtime.ContainerID) error {
	w.of.sight.mu.Lock()
	defer w.of.sight.mu.Unlock()
	if err := w.Runtime.Start(ctx, id); err != nil {
		return err
	}
	c := w.of.sight.holds[id]
	if c.seen != nil {
		<-c.seen // it had ended, or it would not have been started
	}
	w.of.s.record(checker.Event{Kind: checker.Started, Job: c.owner.Job, Attempt: c.owner.Attempt, Node: w.of.name, Container: c.name})
	seen := make(chan struct{})
	c.seen = seen
	w.of.sight.holds[id] = c
	w.of.s.beside(func(ctx context.Context) {
		defer close(seen)
		w.of.watch(ctx, id, c)
	})
	return nil
}

// Remove implements runtime.Lifecycle. The container's end is seen before it is
// gone.
func (w witness) Remove(ctx context.Context, id runtime.ContainerID, opts runtime.RemoveOptions) error {
	w.of.sight.mu.Lock()
	c := w.of.sight.holds[id]
	w.of.sight.mu.Unlock()
	state, err := w.State(ctx, id)
	switch {
	case err != nil || c.seen == nil:
	case state.Phase.Ended():
		<-c.seen
	case opts.Force:
		if err := w.Kill(ctx, id, ""); err == nil {
			<-c.seen
		}
	}
	return w.Runtime.Remove(ctx, id, opts)
}

// watch sees a container to its end.
func (n *node) watch(ctx context.Context, id runtime.ContainerID, c holding) {
	out, err := n.eye.WaitOutcome(ctx, id, messages.WaitNotRunning)
	if err != nil {
		return // the simulation is over
	}
	e := checker.Event{Kind: checker.Ended, Job: c.owner.Job, Attempt: c.owner.Attempt, Node: n.name, Container: c.name, ExitCode: &out.ExitCode}
	if out.Reason == messages.ExitRuntimeError {
		e.Cause = checker.CauseHarness
	}
	n.s.record(e)
}

// Exec implements runtime.Runner. Which job an exec is for stands in its
// environment.
func (w witness) Exec(ctx context.Context, id runtime.ContainerID, opts runtime.ExecOptions) (runtime.ExecResult, error) {
	job := opts.Env[execJob]
	w.of.sight.mu.Lock()
	c := w.of.sight.holds[id]
	w.of.sight.mu.Unlock()
	begun := checker.Event{Kind: checker.Exec, Job: job, Attempt: w.of.attemptOf(job), Node: w.of.name, Container: c.name}
	begun.At = w.of.s.now()
	r, err := w.Runtime.Exec(ctx, id, opts)
	if err == nil || !refusedExec(err) {
		w.of.s.record(begun)
	}
	return r, err
}

// execJob is the variable in an exec's environment that names its job.
const execJob = "SIM_JOB"

// refusedExec tells whether an exec surely did not begin.
func refusedExec(err error) bool {
	return errdefs.IsNotFound(err) || errdefs.IsFailedPrecondition(err) || errdefs.IsInvalidArgument(err) ||
		errdefs.IsNotImplemented(err) || errdefs.IsUnavailable(err)
}
