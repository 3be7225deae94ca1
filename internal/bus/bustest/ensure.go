package bustest

import (
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
)

func ensureTwice(t *testing.T, f *fixture) {
	b := f.laid()
	f.append(b, "log.x", "stays")
	must(t, b.Ensure(f.ctx(), layout()))
	if got := value(b.Last(f.ctx(), "LOG", "log.x"))(t); string(got.Data) != "stays" {
		t.Fatalf("got %q", got.Data)
	}
}

func ensureAtOnce(t *testing.T, f *fixture) {
	const n = 5
	errs := make(chan error, n)
	for range n {
		b := f.bus()
		go func() { errs <- b.Ensure(f.ctx(), layout()) }()
	}
	for range n {
		must(t, next(t, errs))
	}
}

// ensureDifferences checks that every difference is named, with what is and what
// must be, and that nothing is changed.
func ensureDifferences(t *testing.T, f *fixture) {
	b := f.laid()
	want := layout()
	want.Streams[0].WorkQueue = false
	want.Streams[1].Subjects = []string{"log.>", "logs.>"}
	want.Streams[2].MaxPerSubject = 5
	want.Streams[3].DiscardNew = false
	err := b.Ensure(f.ctx(), want)
	if err == nil {
		t.Fatal("other streams than those that are there are no error")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, says := range [][]string{{"stream WORK"}, {"stream LOG", "[log.>]", "[log.> logs.>]"}, {"stream STATE", "1", "5"}, {"stream SMALL"}} {
		if i >= len(lines) {
			t.Fatalf("%q names %d differences, want 4", err, len(lines))
		}
		for _, s := range append(says, " is ", " must be ") {
			if !strings.Contains(lines[i], s) {
				t.Errorf("%q does not mention %q", lines[i], s)
			}
		}
	}
	must(t, b.Ensure(f.ctx(), layout()))

	unlimited := bus.Layout{Streams: []bus.Stream{{Name: "BIG", Subjects: []string{"big"}}}}
	if err := b.Ensure(f.ctx(), unlimited); err == nil || !strings.Contains(err.Error(), "BIG") {
		t.Fatalf("a stream without a size limit: %v", err)
	}
	clash := bus.Layout{Streams: []bus.Stream{{Name: "CLASH", Subjects: []string{"log.mine"}, MaxBytes: 1 << 20}}}
	if err := b.Ensure(f.ctx(), clash); err == nil || !strings.Contains(err.Error(), "CLASH") {
		t.Fatalf("a stream with another's subjects: %v", err)
	}
}
