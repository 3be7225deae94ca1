package containerd_test

import (
	"testing"

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
		Restart: func(t *testing.T, _ runtime.Runtime) runtime.Runtime { return b.open() },
	})
}
