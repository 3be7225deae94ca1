package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// simulated runs the verb under the test's own harness.
func simulated(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return simulatedAs(t, "table", args...)
}

func simulatedAs(t *testing.T, form string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	a := &app{out: &out, err: &out, output: form}
	cmd := a.simCommand(func() *testing.T { return t })
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SilenceUsage = true
	err := cmd.ExecuteContext(t.Context())
	return out.String(), err
}

func TestSim(t *testing.T) {
	out, err := simulated(t, "--seed", "3", "--runs", "2", "--jobs", "10", "--faults", "crash,loss")
	if err != nil || !strings.Contains(out, "seed 3: held") || !strings.Contains(out, "seed 4: held") || !strings.Contains(out, "points where a process can crash") {
		t.Errorf("it failed with %v:\n%s", err, out)
	}
	out, err = simulatedAs(t, "json", "--seed", "3", "--jobs", "10", "--faults", "none")
	var run struct {
		Seed uint64
		Held bool
		Jobs int
	}
	if first := json.NewDecoder(strings.NewReader(out)).Decode(&run); err != nil || first != nil || run.Seed != 3 || !run.Held || run.Jobs == 0 {
		t.Errorf("in JSON it is %+v, with %v, %v:\n%s", run, err, first, out)
	}
	for _, args := range [][]string{{"--faults", "rain"}, {"--jobs", "-1"}, {"--runs", "-1"}, {"--again", "0"}} {
		name, value := strings.TrimPrefix(args[0], "--"), args[1]
		if _, err := simulated(t, args...); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), value) {
			t.Errorf("%v: the error is %v; want it to name %s and %s", args, err, name, value)
		}
	}
}
