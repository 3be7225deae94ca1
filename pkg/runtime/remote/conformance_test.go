package remote_test

import (
	"sync"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/remote"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

func TestConformanceOverAPipe(t *testing.T) {
	far := memory.New(newMachine(t))
	ends := map[runtime.Runtime]*farEnd{}
	var mu sync.Mutex
	runtimetest.Run(t, runtimetest.Config{
		New: func(t *testing.T) runtime.Runtime {
			f := &farEnd{rt: far}
			r := near(t, f)
			mu.Lock()
			defer mu.Unlock()
			ends[r] = f
			return r
		},
		Image:        func(*testing.T) string { return toybox },
		MissingImage: "shunt.test/nothing:1",
		Lacks:        memoryLacks,
		// The pipe breaks, and what the next one leads to finds what is there.
		Restart: func(t *testing.T, rt runtime.Runtime) runtime.Runtime {
			mu.Lock()
			f := ends[rt]
			mu.Unlock()
			f.now().far.Close()
			<-f.now().over
			until(t, "it is dialled again", func() bool { return f.dialled() > 1 })
			await(t, rt.(*remote.Runtime))
			return rt
		},
	})
}
