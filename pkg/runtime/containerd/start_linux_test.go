package containerd_test

import (
	"testing"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/cio"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// TestStartAfterACrashInAStart leaves what a worker leaves that is killed
// between the two calls of a start: a task that was made and not started.
func TestStartAfterACrashInAStart(t *testing.T) {
	b := newBench(t)
	spec := b.spec("sh", "-c", "echo up; exit 3")
	spec.Network = messages.NetworkHost // which needs nothing that a start makes
	id := b.start(spec)
	b.wait(id)
	c, err := client.New(b.cfg.Address, client.WithDefaultNamespace(b.cfg.Namespace))
	b.must(err)
	defer c.Close()
	all, err := c.Containers(b.ctx)
	b.must(err)
	task, err := all[0].Task(b.ctx, nil)
	b.must(err)
	_, err = task.Delete(b.ctx)
	b.must(err)
	_, err = all[0].NewTask(b.ctx, cio.NullIO)
	b.must(err)
	b.reopen()
	if state, err := b.rt.State(b.ctx, id); err != nil || state.Phase != runtime.PhaseInitializing {
		t.Errorf("after the crash it is %+v, %v; want it initializing", state, err)
	}
	b.must(b.rt.Start(b.ctx, id))
	if out := b.wait(id); out.ExitCode != 3 || out.Reason != messages.ExitExited {
		t.Errorf("it ended with %+v, want exit code 3", out)
	}
	if got := b.output(id, runtime.Stdout); got != "up\nup\n" {
		t.Errorf("it printed %q, want up for each of its starts", got)
	}
}
