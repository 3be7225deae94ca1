package client_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// plain is what says all there is to know of it in its own line.
var plain = []string{"Node.Name", "OpError.Error", "OpError.Unwrap"}

// TestEveryCallHasAnExample: whoever looks a call up finds one that runs.
func TestEveryCallHasAnExample(t *testing.T) {
	calls := documented(t)
	if len(calls["Client.Submit"]) == 0 || calls["Node.Name"] == nil {
		t.Fatalf("of %d calls Client.Submit has no example, or there is no Node.Name: is this still the package?", len(calls))
	}
	for call, examples := range calls {
		if len(examples) == 0 && !slices.Contains(plain, call) {
			t.Errorf("%s has no example", call)
		}
		for _, e := range examples {
			if e.Output == "" && !e.EmptyOutput {
				t.Errorf("the example %s of %s has no output, and so is not run", e.Suffix, call)
			}
		}
	}
	for _, call := range plain {
		if examples, ok := calls[call]; !ok || len(examples) > 0 {
			t.Errorf("%s need not be let off: it is no call of the package, or has an example", call)
		}
	}
}

// documented is every exported function and method of the package, with its
// examples.
func documented(t *testing.T) map[string][]*doc.Example {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") {
			continue
		}
		file, err := parser.ParseFile(fset, e.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(fset, files, "github.com/shunt-fleet/shunt/pkg/client")
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string][]*doc.Example{}
	note := func(of string, funcs []*doc.Func) {
		for _, f := range funcs {
			calls[of+f.Name] = append([]*doc.Example{}, f.Examples...)
		}
	}
	note("", pkg.Funcs)
	for _, typ := range pkg.Types {
		note("", typ.Funcs)
		note(typ.Name+".", typ.Methods)
	}
	return calls
}
