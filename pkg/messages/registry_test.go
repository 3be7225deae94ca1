package messages_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/messages/messagestest"
)

// TestEveryMessageIsRegistered reads the package's source: an exported struct
// with a version is a message, and All must have it.
func TestEveryMessageIsRegistered(t *testing.T) {
	versioned := make(map[string]bool)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for spec := range ast.Preorder(tree) {
			if decl, ok := spec.(*ast.TypeSpec); ok && decl.Name.IsExported() && hasVersion(decl) {
				versioned[decl.Name.Name] = true
			}
		}
	}
	for _, d := range messages.All() {
		if d.Bare == versioned[d.Name] {
			t.Errorf("%s: All says bare is %t, its fields say %t", d.Name, d.Bare, !versioned[d.Name])
		}
		delete(versioned, d.Name)
	}
	for name := range versioned {
		t.Errorf("%s has a version, but All does not have it", name)
	}
}

func hasVersion(decl *ast.TypeSpec) bool {
	fields, ok := decl.Type.(*ast.StructType)
	if !ok {
		return false
	}
	for _, f := range fields.Fields.List {
		if len(f.Names) == 1 && f.Names[0].Name == "V" {
			return true
		}
	}
	return false
}

// TestEveryVerbIsRouted holds All against the lists of verbs: each has exactly
// one message as its request, and none that is no verb's.
func TestEveryVerbIsRouted(t *testing.T) {
	requests := make(map[string]int)
	for _, d := range messages.All() {
		for _, r := range d.Routes {
			if r.Part == messages.PartRequest {
				requests[r.Subject]++
			}
		}
	}
	want := []string{"<root>.cmd.<node>"}
	for _, v := range messages.WorkerVerbs() {
		want = append(want, "<root>.node.<node>."+string(v))
	}
	for _, v := range messages.PlacerVerbs() {
		want = append(want, "<root>.placer."+string(v))
	}
	for _, subject := range want {
		if requests[subject] != 1 {
			t.Errorf("%d messages are the request of %s; want 1", requests[subject], subject)
		}
		delete(requests, subject)
	}
	for subject := range requests {
		t.Errorf("%s is no verb of the contract", subject)
	}
}

// TestSamplesUseEveryField fails when a field is added that no golden file
// shows.
func TestSamplesUseEveryField(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range messagestest.Samples() {
		fieldsOf(reflect.ValueOf(s.Full), seen)
		fieldsOf(reflect.ValueOf(s.Minimal), seen)
	}
	for _, j := range messagestest.Jobs() {
		fieldsOf(reflect.ValueOf(j), seen)
	}
	for field, set := range seen {
		if !set {
			t.Errorf("no sample sets %s", field)
		}
	}
}

// fieldsOf notes of every field in v whether it was ever set.
func fieldsOf(v reflect.Value, seen map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fieldsOf(v.Elem(), seen)
		}
	case reflect.Slice:
		for i := range v.Len() {
			fieldsOf(v.Index(i), seen)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			field := fmt.Sprintf("%s.%s", v.Type(), v.Type().Field(i).Name)
			seen[field] = seen[field] || !v.Field(i).IsZero()
			fieldsOf(v.Field(i), seen)
		}
	}
}

// TestRoutesAreOfTheContract spells a route with Root's own methods.
func TestRoutesAreOfTheContract(t *testing.T) {
	root := messages.Root("<root>")
	built := map[string]bool{
		root.Job("<job>"): true, root.Cancel("<job>"): true, root.Command("<node>"): true,
		root.Outcome("<node>", "<job>"): true, root.Done("<job>"): true, root.Dead("<job>"): true,
		root.Lease("<node>"): true, root.Capabilities("<node>"): true, root.Placers("<id>"): true,
		root.Event("<node>", "<kind>"): true,
	}
	for _, part := range []string{"resize", "signal", "credit"} {
		built[root.ExecSession("<node>", "<session>", part)] = true
	}
	for _, v := range messages.WorkerVerbs() {
		built[root.NodeVerb("<node>", v)] = true
	}
	for _, v := range messages.PlacerVerbs() {
		built[root.PlacerVerb(v)] = true
	}
	used := make(map[string]bool)
	for _, d := range messages.All() {
		for _, r := range d.Routes {
			used[r.Subject] = true
			if r.Part != messages.PartValue && !built[r.Subject] {
				t.Errorf("%s travels on %s, which no method of Root builds", d.Name, r.Subject)
			}
		}
	}
	for subject := range built {
		if !used[subject] && !strings.HasSuffix(subject, ".logs") {
			t.Errorf("no message travels on %s", subject)
		}
	}
}
