package sim_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/sim"
)

// runs is how many seeds are run: SHUNT_SIM_RUNS, or what a CI run has time for.
func runs(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("SHUNT_SIM_RUNS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("SHUNT_SIM_RUNS is %q; want a number above 0", text)
		}
		return n
	}
	if underRace {
		return 20
	}
	return 150
}

// Everything goes wrong, and the guarantees hold. Without the race detector, the
// runs also have to crash processes at every call of every port.
func TestTheGuaranteesHoldWhateverGoesWrong(t *testing.T) {
	all, err := sim.ParseFaults("all")
	if err != nil {
		t.Fatal(err)
	}
	c := sim.Campaign{Config: sim.Config{Seed: 1, Faults: all}, Runs: runs(t), Cover: !underRace}
	coverage, failed, err := c.Run(t)
	if failed != nil {
		var b strings.Builder
		failed.Explain(&b)
		t.Fatal(b.String())
	}
	if err != nil {
		t.Fatal(err)
	}
	crashes, hit, of := coverage.Total()
	t.Logf("%d crashes at %d of %d points", crashes, hit, of)
}

// One fault at a time is easier on the fleet, and says more when it fails.
func TestTheGuaranteesHoldUnderEachFault(t *testing.T) {
	for _, f := range append(sim.AllFaults(), "none") {
		t.Run(string(f), func(t *testing.T) {
			faults := sim.Faults{f: f != "none"}
			n := max(1, runs(t)/20)
			_, failed, err := sim.Campaign{Config: sim.Config{Seed: 1000, Faults: faults}, Runs: n}.Run(t)
			if failed != nil {
				var b strings.Builder
				failed.Explain(&b)
				t.Fatal(b.String())
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
