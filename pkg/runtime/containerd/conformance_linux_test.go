package containerd_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

// lacks is what containerd cannot do.
var lacks = []string{
	"Changes", "Commit", "CopyIn", "CopyOut", "Export", "ImageHistory", "ImportImage", "LoadImages", "SaveImages", "SearchImages",
}

// conformance is what the suite is told of a bench's runtime.
func (b *bench) conformance() runtimetest.Config {
	return runtimetest.Config{
		New:          func(*testing.T) runtime.Runtime { return b.rt },
		Image:        func(*testing.T) string { return b.image },
		MissingImage: b.reg.Addr() + "/nothing:1",
		Lacks:        lacks,
		Whole:        true,
		Programs:     []string{"cat", "env", "flood", "id", "pwd", "stty"},
		OutOfMemory:  &messages.Spec{Entrypoint: []string{"oom"}, Resources: messages.Resources{Memory: 32 << 20}},
		Restart:      func(t *testing.T, _ runtime.Runtime) runtime.Runtime { return b.open() },
	}
}

func TestConformance(t *testing.T) { runtimetest.Run(t, newBench(t).conformance()) }

// TestWhatIsLackingIsInTheDocs: the conformance suite leaves out what the docs
// say is lacking, and nothing else.
func TestWhatIsLackingIsInTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../../docs/runtime.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## What the adapters lack")
	column := -1
	var documented []string
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if column < 0 {
			column = slices.IndexFunc(cells, func(cell string) bool { return strings.Contains(cell, "containerd (Linux)") })
			continue
		}
		if len(cells) > column && strings.Contains(cells[column], "lacks") {
			for _, name := range regexp.MustCompile("`([A-Za-z]+)`").FindAllStringSubmatch(cells[1], -1) {
				documented = append(documented, name[1])
			}
		}
	}
	slices.Sort(documented)
	if !slices.Equal(documented, lacks) {
		t.Errorf("docs/runtime.md says that containerd lacks %v, and the suite is told %v", documented, lacks)
	}
}
