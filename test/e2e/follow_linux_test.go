package e2e_test

import (
	"fmt"
	"strings"
	"testing"
)

// rounds is a script that prints numbered lines, round after round with a pause
// between, and what it prints.
func rounds(count, lines int, pause string) (script, prints string) {
	var s, p strings.Builder
	for round := range count {
		fmt.Fprintf(&s, "echo round %d; flood %d; sleep %s; ", round, lines, pause)
		fmt.Fprintf(&p, "round %d\n", round)
		for i := range lines {
			fmt.Fprintf(&p, "line %d\n", i+1)
		}
	}
	return s.String(), p.String()
}

// follows runs a script in a container, and `shunt logs -f` of it.
func (f *fleet) follows(job, script string) *shown {
	f.t.Helper()
	f.nats.publish("shunt.job."+job, fmt.Sprintf(`{"v":1,"id":%q,"op":"run","spec":{"image":%q,"args":["sh","-c",%q]},"retain":"1m"}`, job, f.linuxImage(), script))
	if out, err := command(f.t, "shunt", "--nats", f.nats.url, "wait", "--running", job).CombinedOutput(); err != nil {
		f.t.Fatalf("%v: %s", err, out)
	}
	return f.shows("logs", "-f", job)
}

// mustHaveShown compares what was shown to the end with what was printed, line by
// line.
func (s *shown) mustHaveShown(prints string) {
	s.t.Helper()
	if code := s.wait(); code != 0 {
		s.t.Errorf("the exit code is %d", code)
	}
	got, want := strings.Split(s.output.String(), "\n"), strings.Split(prints, "\n")
	if len(got) != len(want) {
		s.t.Errorf("%d lines are shown, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			s.t.Fatalf("line %d of all is %q, want %q", i+1, got[i], want[i])
		}
	}
}

// TestAFollowOutlivesItsWorker kills a worker twice in the middle of `logs -f`,
// while its container talks on: nothing is lost, and nothing comes twice.
func TestAFollowOutlivesItsWorker(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	worker := f.linux("--ttl", "60s")
	script, prints := rounds(150, 50, "0.1")
	s := f.follows("talks", script)
	for _, round := range []string{"round 5\n", "round 40\n"} {
		s.await(round)
		worker.kill()
		worker = f.linux("--ttl", "60s")
	}
	s.mustHaveShown(prints)
}

// TestAFollowOfTenThousandLinesASecond counts what comes through the bus at that
// pace.
func TestAFollowOfTenThousandLinesASecond(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	worker := f.linux()
	script, prints := rounds(50, 1000, "0.1")
	f.follows("talks", script).mustHaveShown(prints)
	f.mustBeSmall(worker)
}
