package messages_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/messages/messagestest"
)

var update = flag.Bool("update", false, "rewrite the golden files from messagestest's samples")

// goldenFiles are the two files of a message: everything, and the least.
func goldenFiles(name string) (full, minimal string) {
	dir := filepath.Join("testdata", "golden")
	return filepath.Join(dir, name+".json"), filepath.Join(dir, name+".min.json")
}

// samplesByName fails the test when a message of the contract has no sample.
func samplesByName(t testing.TB) map[string]messagestest.Sample {
	t.Helper()
	samples := make(map[string]messagestest.Sample)
	for _, s := range messagestest.Samples() {
		samples[s.Name] = s
	}
	for _, d := range messages.All() {
		if _, ok := samples[d.Name]; !ok {
			t.Errorf("%s has no sample in messagestest", d.Name)
		}
	}
	if len(samples) != len(messages.All()) {
		t.Errorf("%d messages have samples; want %d", len(samples), len(messages.All()))
	}
	return samples
}

// golden is a file and the value it holds.
type golden struct {
	file  string
	kind  messages.Descriptor
	value messages.Validator
}

// goldens lists every golden file: two of each message, and a job for each op.
func goldens(t testing.TB) []golden {
	t.Helper()
	samples := samplesByName(t)
	var all []golden
	for _, d := range messages.All() {
		full, minimal := goldenFiles(d.Name)
		all = append(all, golden{full, d, samples[d.Name].Full}, golden{minimal, d, samples[d.Name].Minimal})
	}
	job, _ := messages.Describe("Job")
	for _, j := range messagestest.Jobs() {
		file, _ := goldenFiles("Job." + string(j.Op))
		all = append(all, golden{file, job, j})
	}
	return all
}

// TestGolden holds the wire's form still: the files are the contract with
// clients in other languages, so a change of one is a change of the contract.
func TestGolden(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(filepath.Base(g.file), func(t *testing.T) {
			if *update {
				writeGolden(t, g.file, g.value)
			}
			data, err := os.ReadFile(g.file)
			if err != nil {
				t.Fatal(err)
			}
			want := canonical(t, data)
			if got := canonical(t, encode(t, g.value)); got != want {
				t.Errorf("the sample encodes to\n%s\nwant\n%s", got, want)
			}
			decoded, err := g.kind.Decode(data)
			if err != nil {
				t.Fatalf("decode: %v", err)
			}
			if got := canonical(t, encode(t, decoded)); got != want {
				t.Errorf("the file decodes and encodes to\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestGoldenFilesAreAllUsed finds files that a removed message left behind.
func TestGoldenFilesAreAllUsed(t *testing.T) {
	used := make(map[string]bool)
	for _, g := range goldens(t) {
		used[g.file] = true
	}
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !used[file] {
			t.Errorf("%s belongs to no message", file)
		}
	}
}

func TestSamplesAreValid(t *testing.T) {
	for _, s := range messagestest.Samples() {
		for _, m := range []messages.Validator{s.Full, s.Minimal} {
			if err := m.Validate(); err != nil {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
	ops := make(map[messages.Op]bool)
	for _, j := range messagestest.Jobs() {
		ops[j.Op] = true
		if err := j.Validate(); err != nil {
			t.Errorf("%s: %v", j.Op, err)
		}
	}
	for _, op := range messages.Ops() {
		if !ops[op] {
			t.Errorf("messagestest.Jobs has none for %s", op)
		}
	}
}

// TestUnknownFieldsAreIgnored lets an older reader meet a newer writer.
func TestUnknownFieldsAreIgnored(t *testing.T) {
	for _, s := range messagestest.Samples() {
		d, _ := messages.Describe(s.Name)
		data := encode(t, s.Full)
		newer := append([]byte(`{"from_the_future":[{"x":null}],`), data[1:]...)
		decoded, err := d.Decode(newer)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if got := encode(t, decoded); string(got) != string(data) {
			t.Errorf("%s became\n%s\nwant\n%s", s.Name, got, data)
		}
	}
}

func writeGolden(t *testing.T, file string, value any) {
	t.Helper()
	data, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func encode(t testing.TB, m any) []byte {
	t.Helper()
	data, err := messages.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func canonical(t testing.TB, data []byte) string {
	t.Helper()
	out, err := messages.Canonical(data)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
