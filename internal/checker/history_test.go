package checker

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRecorderAndRead brings the histories of the other tests through a file:
// the verdict must be the same.
func TestRecorderAndRead(t *testing.T) {
	t.Parallel()
	for _, test := range broken {
		history := script(t, test.history)
		var file bytes.Buffer
		recorder := NewRecorder(&file)
		for _, e := range history {
			recorder.Add(e)
		}
		if kept, err := recorder.History(); err != nil || len(kept) != len(history) {
			t.Fatalf("%s: the recorder has %d events, want %d: %v", test.name, len(kept), len(history), err)
		}
		read, err := Read(&file)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if got := rulesOf(Check(read, Config{Grace: 30 * time.Second})); got != test.rules {
			t.Errorf("%s: read from a file it breaks %q, want %q", test.name, got, test.rules)
		}
	}
}

// TestReadNamesWhatIsWrong gives lines that are no events.
func TestReadNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	const at = `"at":"2026-01-02T03:04:05Z"`
	for line, want := range map[string]string{
		`{`:                                  "line 2",
		`{` + at + `,"kind":"began"}`:        `"began"`,
		`{"kind":"started"}`:                 "at is missing",
		`{` + at + `,"kind":"submitted"}`:    "body is missing",
		`{` + at + `,"kind":"outcome"}`:      "outcome is missing",
		`{` + at + `,"kind":"last_word"}`:    "record is missing",
		`{` + at + `,"kind":"ended"}`:        "container is missing",
		`{` + at + `,"kind":"cancel_asked"}`: "job is missing",
		`{` + at + `,"kind":"node_away"}`:    "node is missing",
	} {
		_, err := Read(strings.NewReader(`{` + at + `,"kind":"end"}` + "\n" + line))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: the error is %v, want one that names line 2 and %q", line, err, want)
		}
	}
}

// TestOrderOfTheFile shuffles a history: the time of the events counts, not
// their place.
func TestOrderOfTheFile(t *testing.T) {
	t.Parallel()
	history := script(t, good[0].history)
	slices.Reverse(history)
	if v := Check(history, Config{}); !v.OK() {
		t.Errorf("backwards, the verdict is\n%s", v)
	}
	if history[0].Kind != End {
		t.Error("Check has changed the history it was given")
	}
}

// TestSkew gives instants of two clocks that are apart by half a second.
func TestSkew(t *testing.T) {
	t.Parallel()
	history := script(t, `
		0 submit a idempotent
		0 ack a
		1 start a/1 n1 c1
		2.5 end n1 c1 1
		2 start a/2 n2 c2
		4 end n2 c2 0
		4 outcome a/1 n1 failed
		4 outcome a/2 n2 completed
		5 done a/2 n2 completed
		9 finish`)
	if v := Check(history, Config{}); !v.Broken(2) {
		t.Errorf("on one clock they ran at the same time; the verdict is\n%s", v)
	}
	if v := Check(history, Config{Skew: 500 * time.Millisecond}); !v.OK() {
		t.Errorf("on clocks that are apart they need not have; the verdict is\n%s", v)
	}
}

// TestSummary counts.
func TestSummary(t *testing.T) {
	t.Parallel()
	s := Check(script(t, `
		0 submit a service
		0 ack a
		0 submit a service
		1 start a/1 n1 c1
		2 node_away n1
		5 start a/2 n2 c2
		8 node_back n1
		9 end n1 c1 143
		9 outcome a/1 n1 revoked
		9 outcome a/1 n1 revoked
		9 submit b
		9 ack b
		10 start b/1 n1 c3
		11 end n1 c3 0
		11 outcome b/1 n1 completed
		12 done b/1 n1 completed
		12 done b/1 n1 completed
		13 bus_away
		14 bus_back
		14 placer_away p1
		15 submit x op=exec
		15 ack x
		16 outcome x/0 _placer rejected
		20 finish a/2 n2 running`), Config{}).Summary
	type figures struct{ jobs, completed, live, rejected, starts, moves, nodes, placers, bus, repeats, absorbed int }
	got := figures{s.Jobs, s.Ended["completed"], s.Live, s.Rejected, s.Starts, s.Moves, s.NodesAway, s.PlacersAway, s.BusAway, s.Repeats, s.Absorbed}
	if want := (figures{3, 1, 1, 1, 3, 1, 1, 1, 1, 3, 3}); got != want {
		t.Errorf("the figures are %+v, want %+v", got, want)
	}
	if got := s.Replaced(0.5); got != 3*time.Second || s.Replaced(1) != got {
		t.Errorf("replaced after %v, want 3s", got)
	}
}

// TestReplaced takes the nearest rank.
func TestReplaced(t *testing.T) {
	t.Parallel()
	s := Summary{Replacements: []time.Duration{1, 2, 3, 4}}
	for share, want := range map[float64]time.Duration{0: 1, 0.25: 1, 0.5: 2, 0.51: 3, 1: 4} {
		if got := s.Replaced(share); got != want {
			t.Errorf("Replaced(%v) is %d, want %d", share, got, want)
		}
	}
	if got := (Summary{}).Replaced(0.5); got != 0 {
		t.Errorf("of none it is %d, want 0", got)
	}
}

// TestIndependence reads this package's imports: of shunt, the vocabulary alone.
func TestIndependence(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range parsed.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if strings.Contains(path, ".") && path != "github.com/shunt-fleet/shunt/pkg/messages" {
				t.Errorf("%s imports %s: a checker that shares code with what it checks shares its mistakes", file.Name(), path)
			}
		}
	}
}

// FuzzCheck gives the checker what comes: it answers, and never with an "all
// held" for a history that has no end.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(`{"at":"2026-01-02T03:04:05Z","kind":"end","live":[{"state":"running"}]}`))
	f.Add([]byte(`{"at":"2026-01-02T03:04:05Z","kind":"started","job":"a","node":"n","container":"c"}`))
	f.Add([]byte(`{"at":"2026-01-02T03:04:05Z","kind":"last_word","record":{"state":"failed","outcome":{"result":{"exit_code":3}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		history, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		ended := slices.ContainsFunc(history, func(e Event) bool { return e.Kind == End })
		if v := Check(history, Config{}); v.OK() && !ended || v.String() == "" {
			t.Errorf("the verdict on %s is\n%s", data, v)
		}
		if _, err := json.Marshal(history); err != nil {
			t.Errorf("a history that was read cannot be written: %v", err)
		}
	})
}
