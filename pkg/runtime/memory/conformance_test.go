package memory_test

import (
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

var (
	linux   = messages.Platform{OS: messages.Linux, Arch: "amd64"}
	windows = messages.Platform{OS: messages.Windows, Arch: "amd64", OSVersion: "10.0.20348"}
)

// lacks is what the package comment says that memory does not do.
var lacks = []string{
	"ImageHistory", "SearchImages", "SaveImages", "LoadImages", "ImportImage", "Stats", "StatsStream", "PID",
	"Top", "Changes", "CopyIn", "CopyOut", "Export", "Commit",
}

const toybox = "shunt.test/toybox:1"

func newMachine(t *testing.T, platforms ...messages.Platform) *memory.Machine {
	t.Helper()
	m, err := memory.NewMachine(memory.Config{
		Platforms: platforms,
		Images: memory.StaticImages{
			toybox:        {{Platform: linux, Size: 3}, {Platform: windows, Size: 5}},
			"nginx":       {{Platform: linux, Cmd: []string{"nginx", "-g", "daemon off;"}}},
			"hello":       {{Platform: linux, Entrypoint: []string{"/bin/echo"}, Cmd: []string{"hello"}, StopSignal: "SIGINT"}},
			"linux-arm64": {{Platform: messages.Platform{OS: messages.Linux, Arch: "arm64"}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return m
}

func conformance(m *memory.Machine, lacks []string) runtimetest.Config {
	return runtimetest.Config{
		New:          func(*testing.T) runtime.Runtime { return memory.New(m) },
		Image:        func(*testing.T) string { return toybox },
		MissingImage: "shunt.test/nothing:1",
		Lacks:        lacks,
		Restart: func(t *testing.T, rt runtime.Runtime) runtime.Runtime {
			if err := rt.(*memory.Runtime).Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			return memory.New(m)
		},
	}
}

func TestConformance(t *testing.T) {
	runtimetest.Run(t, conformance(newMachine(t, linux), lacks))
}

func TestConformanceOfAWindowsMachine(t *testing.T) {
	lacks := append([]string{"NamespaceID"}, lacks...)
	runtimetest.Run(t, conformance(newMachine(t, windows), lacks))
}
