package faults

import (
	"context"
	"slices"
	"syscall"
	"testing"

	"github.com/shunt-fleet/shunt/internal/grpcfault"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/managed"
)

// kill9 is a fault of the test's own: containerd is killed with the call under
// way, and started again.
const kill9 grpcfault.Fault = "kill -9"

// killed are the operations in which containerd is really killed, at each of
// their calls, but for those of a pull that read; a whole job is another.
var killed = []string{
	"pull", "create", "start", "exec", "follow logs", "wait", "stop", "remove", "remove with force", "prune",
}

func TestContainerdIsKilledAtEveryCall(t *testing.T) {
	m := newMachine(t, t.TempDir())
	if err := m.c.Close(); err != nil { // it is this test that starts it again
		t.Fatal(err)
	}
	l := newLane(t, m)
	l.mayLose = true
	var hit, all int64
	for _, c := range l.trialsOf(slices.DeleteFunc(slices.Clone(operations), func(op operation) bool {
		return !slices.Contains(killed, op.name)
	}), []grpcfault.Fault{kill9}) {
		if c.name == "pull" && onlyReads(c.calls[0]) {
			continue // there are many, each between two that write
		}
		hit += l.try(c)
		all++
	}
	t.Logf("containerd was killed at %d of %d calls", hit, all)
	if hit < all {
		t.Error("an operation did not make the call that it made the first time")
	}
	l.jobs(l.employed(l.rt), []grpcfault.Fault{kill9}, 0, 1)
}

// kill kills containerd; what it returns waits until it runs again.
func (m *machine) kill() (again func() error) {
	done := make(chan error, 1)
	err := syscall.Kill(m.c.PID(), syscall.SIGKILL)
	go func() {
		if err != nil {
			done <- err
			return
		}
		c, err := managed.Start(context.Background(), m.config())
		if err == nil {
			m.c, err = c, c.Close()
		}
		done <- err
	}()
	return func() error { return <-done }
}
