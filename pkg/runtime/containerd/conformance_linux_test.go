package containerd_test

import (
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

func TestConformance(t *testing.T) {
	b := newBench(t)
	runtimetest.Run(t, runtimetest.Config{
		New:          func(*testing.T) runtime.Runtime { return b.rt },
		Image:        func(*testing.T) string { return b.image },
		MissingImage: b.reg.Addr() + "/nothing:1",
		Lacks: []string{
			"Changes", "Commit", "CopyIn", "CopyOut", "Export", "ImageHistory", "ImportImage", "LoadImages",
			"SaveImages", "SearchImages",
		},
		Programs:    []string{"cat", "env", "flood", "id", "pwd", "stty"},
		OutOfMemory: &messages.Spec{Entrypoint: []string{"oom"}, Resources: messages.Resources{Memory: 32 << 20}},
		Restart:     func(t *testing.T, _ runtime.Runtime) runtime.Runtime { return b.open() },
	})
}
