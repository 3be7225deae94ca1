package schema_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/shunt-fleet/shunt/internal/schema"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

const root = "../.."

// TestFilesAreFresh fails when a type has changed and its file has not.
func TestFilesAreFresh(t *testing.T) {
	files, err := schema.Generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, "docs", "schema", name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("docs/schema/%s is stale (%v); run `make schema`", name, err)
		}
	}
	written, err := filepath.Glob(filepath.Join(root, "docs", "schema", schema.FileName("*")))
	if err != nil || len(written) != len(files) {
		t.Errorf("docs/schema has %d schemas (%v); want %d", len(written), err, len(files))
	}
}

// TestGoldenFilesFit holds the schemas against what is really sent.
func TestGoldenFilesFit(t *testing.T) {
	golden, err := filepath.Glob(filepath.Join(root, "pkg", "messages", "testdata", "golden", "*.json"))
	if err != nil || len(golden) < 2*len(messages.All()) {
		t.Fatalf("%d golden files (%v); want two or more for each of %d messages", len(golden), err, len(messages.All()))
	}
	for _, file := range golden {
		t.Run(filepath.Base(file), func(t *testing.T) {
			name, _, _ := strings.Cut(filepath.Base(file), ".")
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := validate(t, name, string(data)); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestBrokenOnesDoNotFit shows that the schemas say something. Each body is
// refused by Decode as well.
func TestBrokenOnesDoNotFit(t *testing.T) {
	for _, c := range []struct{ name, message, body string }{
		{"another version", "Cancel", `{"v":2}`},
		{"no version", "Cancel", `{}`},
		{"no id", "Job", `{"v":1,"op":"prune","target":"linux-1"}`},
		{"an id that is no token", "Job", `{"v":1,"id":"web.42","op":"prune","target":"linux-1"}`},
		{"an unknown op", "Job", `{"v":1,"id":"web-42","op":"fly"}`},
		{"a bare number as duration", "Job", `{"v":1,"id":"web-42","op":"run","spec":{"image":"web"},"timeout":90}`},
		{"a duration without unit", "WaitRequest", `{"v":1,"container":"c","timeout":"90"}`},
		{"plain credentials", "Job", `{"v":1,"id":"web-42","op":"run","spec":{"image":"web","registry_auth":{"sealed":"eA==","password":"x"}}}`},
		{"a port of another protocol", "Job", `{"v":1,"id":"web-42","op":"run","spec":{"image":"web","ports":[{"container":1,"protocol":"sctp"}]}}`},
		{"port 0", "Job", `{"v":1,"id":"web-42","op":"run","spec":{"image":"web","ports":[{"container":0}]}}`},
		{"a number in the environment", "Job", `{"v":1,"id":"web-42","op":"run","spec":{"image":"web","env":{"A":1}}}`},
		{"an unknown status", "Outcome", `{"v":1,"job":"web-42","node":"linux-1","status":"lost"}`},
		{"an unknown error code", "Outcome", `{"v":1,"node":"linux-1","status":"rejected","error":{"code":"oops","message":"x"}}`},
		{"an unknown state", "Record", `{"v":1,"job":{"v":1,"id":"a","op":"prune","target":"n"},"state":"asleep"}`},
		{"an unknown kind of event", "Event", `{"v":1,"node":"linux-1","kind":"dreamt"}`},
		{"a terminal without rows", "ExecResize", `{"v":1,"rows":0,"cols":80}`},
		{"a name that nobody holds", "NameClaim", `{}`},
		{"too many peers", "Outcome", `{"v":1,"job":"j","node":"n","status":"route_to_peer","route_to_peer":{"code":"platform","peers":["1","2","3","4","5","6","7","8","9"]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := validate(t, c.message, c.body); err == nil {
				t.Errorf("the schema of %s accepts %s", c.message, c.body)
			}
			d, ok := messages.Describe(c.message)
			if !ok {
				t.Fatalf("there is no message %s", c.message)
			}
			if _, err := d.Decode([]byte(c.body)); err == nil {
				t.Errorf("Decode accepts %s", c.body)
			}
		})
	}
}

// validate holds a body against the schema file of a message.
func validate(t *testing.T, message, body string) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiled, err := compiler.Compile(filepath.Join(root, "docs", "schema", schema.FileName(message)))
	if err != nil {
		t.Fatal(err)
	}
	return compiled.Validate(value)
}

// TestSchemasDescribe wants the words of the Go comments in the files.
func TestSchemasDescribe(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "docs", "schema", schema.FileName("Job")))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Defs map[string]struct {
			Properties map[string]struct{ Description string }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if got := file.Defs["Job"].Properties["target"].Description; !strings.Contains(got, "node") {
		t.Errorf("target is described as %q; want the comment of its field", got)
	}
}
