package runtime_test

import (
	"context"
	"slices"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

const toybox = "shunt.test/toybox:1"

// memoryLacks is what the memory runtime cannot do, and so a composite of it.
var memoryLacks = []string{
	"ImageHistory", "SearchImages", "SaveImages", "LoadImages", "ImportImage", "Stats", "StatsStream", "PID",
	"Top", "Changes", "CopyIn", "CopyOut", "Export", "Commit",
}

func machine(t *testing.T, images memory.StaticImages, platform messages.Platform) *memory.Machine {
	t.Helper()
	m, err := memory.NewMachine(memory.Config{Platforms: []messages.Platform{platform}, Images: images})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// tableResolver tells the platforms of images in a table.
type tableResolver memory.StaticImages

func (r tableResolver) Platforms(_ context.Context, ref string, _ messages.PullPolicy, _ *messages.RegistryAuth) (string, []messages.Platform, error) {
	images, ok := r[ref]
	if !ok {
		return "", nil, errdefs.ErrNotFound
	}
	var made []messages.Platform
	for _, i := range images {
		made = append(made, i.Platform)
	}
	return "sha256:table", made, nil
}

// conforms runs the suite over a composite of machines; a restart makes a new
// composite of new handles.
func conforms(t *testing.T, images memory.StaticImages, lacks []string, machines ...*memory.Machine) {
	open := func(t *testing.T) runtime.Runtime {
		var members []runtime.Runtime
		for _, m := range machines {
			members = append(members, memory.New(m))
		}
		return compose(t, tableResolver(images), members[0], members[1:]...)
	}
	runtimetest.Run(t, runtimetest.Config{
		New:          open,
		Image:        func(*testing.T) string { return toybox },
		MissingImage: "shunt.test/nothing:1",
		Lacks:        lacks,
		Restart:      func(t *testing.T, _ runtime.Runtime) runtime.Runtime { return open(t) },
	})
}

func TestConformanceOfOneMember(t *testing.T) {
	linux := plat("linux/amd64")
	images := memory.StaticImages{toybox: {{Platform: linux}}}
	conforms(t, images, memoryLacks, machine(t, images, linux))
}

// Linux images run with the delegate of a Windows primary.
func TestConformanceOfADelegate(t *testing.T) {
	linux, windows := plat("linux/amd64"), plat("windows(10.0.20348)/amd64")
	images := memory.StaticImages{toybox: {{Platform: linux}}}
	conforms(t, images, memoryLacks, machine(t, images, windows), machine(t, images, linux))
}

// Images for both run with the primary.
func TestConformanceOfAPrimaryWithADelegate(t *testing.T) {
	linux, windows := plat("linux/amd64"), plat("windows(10.0.20348)/amd64")
	images := memory.StaticImages{toybox: {{Platform: linux}, {Platform: windows}}}
	lacks := append(slices.Clone(memoryLacks), "NamespaceID")
	conforms(t, images, lacks, machine(t, images, windows), machine(t, images, linux))
}
