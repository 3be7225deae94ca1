package arch

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryDependencyIsJustified holds docs/dependencies.md against the go.mod
// of the main module and of each tool.
func TestEveryDependencyIsJustified(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		listed[row[1]] = true
	}
	required := map[string]bool{} // and whether directly
	files, err := filepath.Glob(filepath.Join(root, "tools", "*", "go.mod"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no go.mod under tools: %v", err)
	}
	for _, file := range append(files, filepath.Join(root, "go.mod")) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for module, direct := range requirements(string(text)) {
			required[module] = required[module] || direct
		}
	}
	for module, direct := range required {
		if direct && !listed[module] {
			t.Errorf("%s is a direct dependency without a line in docs/dependencies.md", module)
		}
	}
	for _, module := range slices.Sorted(maps.Keys(listed)) {
		if _, ok := required[module]; !ok {
			t.Errorf("docs/dependencies.md justifies %s, which no go.mod requires", module)
		}
	}
}

// requirements reads the modules a go.mod requires, and whether the module
// itself imports them. What a tool directive names counts as direct.
func requirements(text string) map[string]bool {
	modules := map[string]bool{}
	var tools []string
	block := ""
	for line := range strings.Lines(text) {
		code, comment, _ := strings.Cut(line, "//")
		words := strings.Fields(code)
		switch {
		case len(words) == 2 && words[1] == "(":
			block = words[0]
			continue
		case len(words) == 1 && words[0] == ")":
			block = ""
			continue
		case block != "":
			words = append([]string{block}, words...)
		}
		switch {
		case len(words) == 3 && words[0] == "require":
			modules[words[1]] = !strings.Contains(comment, "indirect")
		case len(words) == 2 && words[0] == "tool":
			tools = append(tools, words[1])
		}
	}
	for _, tool := range tools {
		modules[moduleOf(tool, modules)] = true
	}
	return modules
}

// moduleOf is the required module with the longest path that holds a package.
func moduleOf(pkg string, modules map[string]bool) string {
	for path := pkg; strings.Contains(path, "/"); path = path[:strings.LastIndex(path, "/")] {
		if _, ok := modules[path]; ok {
			return path
		}
	}
	return pkg
}

func TestRequirementsAreRead(t *testing.T) {
	got := requirements("module m\n\ngo 1.26.0\n\nrequire example.org/one v1.0.0\n\ntool example.org/four/v2/cmd/x\n\n" +
		"require (\n\texample.org/two v1.0.0 // indirect\n\texample.org/three v1.0.0\n\texample.org/four/v2 v2.0.0 // indirect\n)\n")
	want := map[string]bool{"example.org/one": true, "example.org/two": false, "example.org/three": true, "example.org/four/v2": true}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
