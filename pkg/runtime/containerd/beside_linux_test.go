package containerd_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// A guard connects beside the worker. It takes away nothing that the worker is
// in the middle of: no program it executes, no volume it makes.
func TestASecondRuntimeChangesNothing(t *testing.T) {
	b := newBench(t)
	id := b.start(b.spec("sleep", "3600"))
	session, err := b.rt.ExecSession(b.ctx, id, runtime.ExecOptions{Cmd: []string{"sh", "-c", "echo up; sleep 3600"}})
	b.must(err)
	defer session.Close()
	for event, err := range session.Events() {
		b.must(err)
		if string(event.Data) != "up\n" {
			t.Fatalf("the program said %q, want up", event.Data)
		}
		break
	}
	making := filepath.Join(b.cfg.StateDir, "volumes", "making", "one")
	b.must(os.Mkdir(making, 0o700))

	b.open()
	if processes, err := b.rt.Top(b.ctx, id); err != nil || len(processes) != 2 {
		t.Errorf("in the container run %v (%v), want its program and the one that is executed", processes, err)
	}
	if _, err := os.Stat(making); err != nil {
		t.Errorf("the volume that is being made: %v", err)
	}
}
