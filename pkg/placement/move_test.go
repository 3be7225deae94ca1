package placement

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

// moving is a service on a, which drains, with its successor on b.
func moving(t *testing.T) (*messages.Record, peer.Snapshot) {
	t.Helper()
	a := node("a", "linux/amd64")
	a.Draining = true
	peers := fleetOf(t, epoch, a, node("b", "linux/amd64"), node("c", "linux/amd64"))
	r := recordIn(messages.StateRunning)
	service(r)
	r.Healthy, r.HealthySince = true, epoch
	r, effects := next(t, r, Vacate{"a"}, peers, epoch)
	if r.Successor == nil || !strings.HasPrefix(show(effects), fmt.Sprintf("command(%s 3)", r.Successor.Node)) {
		t.Fatalf("its successor is %v: %s", r.Successor, show(effects))
	}
	return r, peers
}

func TestWhatASuccessorSays(t *testing.T) {
	for name, c := range map[string]struct {
		events func(to, other string) []Event
		want   string // state, node and attempt; successor; debts
	}{
		"it is accepted":         {func(to, _ string) []Event { return said("accepted", to, 3) }, "running a 2; b 3; "},
		"it is up":               {func(to, _ string) []Event { return said("running", to, 3) }, "running b 3; ; a 2"},
		"it fails":               {func(to, _ string) []Event { return said("failed", to, 3) }, "running a 2; ; "},
		"it refuses":             {func(to, _ string) []Event { return said("route_to_peer", to, 3) }, "running a 2; ; "},
		"nobody answers":         {func(to, _ string) []Event { return []Event{Unheard{to, 3}} }, "running a 2; ; "},
		"its node is lost":       {func(to, _ string) []Event { return []Event{NodeLost{Node: to}} }, "running a 2; ; b 3"},
		"the old node is lost":   {func(string, string) []Event { return []Event{NodeLost{Node: "a"}} }, "assigned b 3; ; a 2"},
		"the old one fails":      {func(string, string) []Event { return said("failed", "a", 2) }, "assigned b 3; ; "},
		"the old one is stopped": {func(string, string) []Event { return said("completed", "a", 2) }, "completed a 2; ; b 3"},
		"a cancel":               {func(string, string) []Event { return []Event{CancelAsked{}} }, "cancelling a 2; ; b 3"},
		"another turn":           {func(string, string) []Event { return []Event{Vacate{"a"}} }, "running a 2; b 3; "},
		"a second try": {func(to, _ string) []Event {
			return append(said("failed", to, 3), Vacate{"a"})
		}, "running a 2; b 4; "},
	} {
		t.Run(name, func(t *testing.T) {
			r, peers := moving(t)
			to := r.Successor.Node
			now := epoch
			for _, ev := range c.events(to, "") {
				r, _ = next(t, r, ev, peers, now)
				now = now.Add(time.Hour)
			}
			successor := ""
			if r.Successor != nil {
				successor = fmt.Sprintf("%s %d", r.Successor.Node, r.Successor.Attempt)
			}
			got := fmt.Sprintf("%s %s %d; %s; %s", r.State, r.Node, r.Attempt, successor, fences(r))
			// Which of the two nodes it is does not matter here.
			if got = strings.NewReplacer("c 3", "b 3", "c 4", "b 4").Replace(got); got != c.want {
				t.Errorf("it is %q, want %q", got, c.want)
			}
		})
	}
}

func said(status messages.Status, node string, attempt uint64) []Event {
	return []Event{Reported{outcome(status, of(node, attempt, 2))}}
}

func TestAMoveCostsNoStartAndKeepsTheNumbersRising(t *testing.T) {
	r, peers := moving(t)
	r, _ = next(t, r, said("failed", r.Successor.Node, 3)[0], peers, epoch)
	r, _ = next(t, r, said("failed", "a", 2)[0], peers, epoch) // for good
	if r.State != messages.StateFailed || r.LastAttempt() != 3 {
		t.Fatalf("it is %s, and the highest attempt was %d", r.State, r.LastAttempt())
	}
	r, _ = next(t, r, RetryAsked{Reason: "again"}, peers, epoch)
	if r.Attempt != 0 && r.State == messages.StateAssigned && r.Attempt != 4 {
		t.Errorf("the next attempt is %d", r.Attempt)
	}
	r, peers = moving(t)
	starts := r.Starts
	r, _ = next(t, r, said("running", r.Successor.Node, 3)[0], peers, epoch)
	if r.Starts != starts || r.Highest != 0 {
		t.Errorf("%d starts, the highest attempt %d", r.Starts, r.Highest)
	}
}

func TestAJobThatStopsMovesBreakBeforeMake(t *testing.T) {
	a := node("a", "linux/amd64")
	a.Draining = true
	peers := fleetOf(t, epoch, a, node("b", "linux/amd64"))
	r := recordIn(messages.StateRunning)
	service(r)
	r.Job.Policy.OnPartition = messages.PartitionStop
	r, effects := next(t, r, Vacate{"a"}, peers, epoch)
	if r.State != messages.StatePending || r.Successor != nil || show(effects) != "revoke(a 2)" {
		t.Fatalf("it is %s: %s", r.State, show(effects))
	}
	r, _ = next(t, r, Reported{outcome("revoked", of("a", 2, 3))}, peers, epoch)
	if r.State != messages.StateAssigned || r.Node != "b" {
		t.Errorf("it is %s on %q (%s)", r.State, r.Node, r.Reason)
	}
}

func TestAServiceThatNobodyElseCanTakeStays(t *testing.T) {
	a := node("a", "linux/amd64")
	a.Draining = true
	r := recordIn(messages.StateRunning)
	service(r)
	r.Platforms = parsed("linux/amd64")
	got, effects := next(t, r, Vacate{"a"}, fleetOf(t, epoch, a, node("w", "windows/amd64")), epoch.Add(time.Minute))
	if got.State != messages.StateRunning || len(effects) != 0 || !strings.Contains(got.Reason, "no other node will do") {
		t.Errorf("it is %s (%s): %s", got.State, got.Reason, show(effects))
	}
}

// The name comes before the first node, and a lost race for it is an end.
func TestANamedJobIsPlacedOnceItHoldsItsName(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"))
	job := runJob()
	job.Kind, job.Service = messages.KindService, "web"
	r, effects := next(t, nil, Submitted{Job: job, Fingerprint: fingerprint}, peers, epoch)
	if r.State != messages.StatePending || show(effects) != "claim" {
		t.Fatalf("it is %s: %s", r.State, show(effects))
	}
	if same, effects := next(t, r, Tick{}, peers, epoch); same != r || show(effects) != "claim" {
		t.Errorf("a look at it: %s", show(effects))
	}
	if r, effects := next(t, r, Claimed{Holder: "other"}, peers, epoch); r.State != messages.StateFailed || !strings.Contains(r.Reason, "web-rep-0 belongs to job other") {
		t.Errorf("it is %s (%s): %s", r.State, r.Reason, show(effects))
	}
	r, effects = next(t, r, Claimed{Holder: job.ID}, peers, epoch)
	if r.State != messages.StateAssigned || show(effects) != "command(a 1) tell(placed)" {
		t.Errorf("it is %s: %s", r.State, show(effects))
	}
	_, effects = next(t, nil, Submitted{Job: job, Fingerprint: fingerprint, Holder: "other"}, peers, epoch)
	if show(effects) != "reject(already_exists)" {
		t.Errorf("a name that is taken: %s", show(effects))
	}
}

func TestADeadlineEndsWhatRuns(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"))
	for _, healthy := range []bool{false, true} {
		r := recordIn(messages.StateRunning)
		r.Job.Policy.Deadline = messages.Duration(time.Hour)
		if healthy {
			service(r)
			r.HealthySince = epoch
		}
		got, effects := next(t, r, Tick{}, peers, epoch.Add(2*time.Hour))
		if healthy {
			if got != r {
				t.Errorf("a service that has been healthy is %s: %s", got.State, show(effects))
			}
			continue
		}
		if got.State != messages.StateCancelling || show(effects) != "revoke(a 2)" {
			t.Fatalf("it is %s: %s", got.State, show(effects))
		}
		got, _ = next(t, got, CancelAsked{Reason: "enough"}, peers, epoch.Add(2*time.Hour))
		got, effects = next(t, got, Reported{outcome("revoked")}, peers, epoch.Add(2*time.Hour))
		if got.State != messages.StateDead || !strings.Contains(got.Reason, "deadline of 1h0m0s is over") {
			t.Errorf("it is %s (%s): %s", got.State, got.Reason, show(effects))
		}
	}
}

func TestARetryIsAnotherLife(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"))
	for _, state := range messages.States() {
		r := recordIn(state)
		r.Starts = 3
		got, effects := next(t, r, RetryAsked{Reason: "mended"}, peers, epoch.Add(time.Hour))
		switch {
		case state == messages.StatePending:
			if got.Retries != 0 {
				t.Errorf("%s: %d retries", state, got.Retries)
			}
		case state.Ended() && state != messages.StateCompleted:
			if got.State != messages.StateAssigned || got.Attempt != 3 || got.Starts != 0 || got.Retries != 1 || len(got.History) < 2 {
				t.Errorf("%s: it is %s with attempt %d, %d starts, %d retries", state, got.State, got.Attempt, got.Starts, got.Retries)
			}
		default:
			if got != r || show(effects) != "reject(failed_precondition)" {
				t.Errorf("%s: it is %s: %s", state, got.State, show(effects))
			}
		}
	}
}

// A service that is stopped before it is started elsewhere has not failed: a
// drain does not use its starts up.
func TestADrainCostsNoStart(t *testing.T) {
	a := node("a", "linux/amd64")
	a.Draining = true
	peers := fleetOf(t, epoch, a, node("b", "linux/amd64"))
	r := recordIn(messages.StateRunning)
	service(r)
	r.Job.Policy.OnPartition, r.Job.Policy.MaxAttempts, r.Starts = messages.PartitionStop, 1, 1
	r, _ = next(t, r, Vacate{"a"}, peers, epoch)
	if r.State != messages.StatePending || r.Starts != 0 || len(r.Fences) != 1 {
		t.Fatalf("it is %s (%s) with %d starts and owes %v", r.State, r.Reason, r.Starts, r.Fences)
	}
	for _, ev := range said("revoked", "a", r.Attempt) {
		r, _ = next(t, r, ev, peers, epoch)
	}
	if r.State != messages.StateAssigned || r.Node != "b" {
		t.Errorf("then it is %s on %q (%s)", r.State, r.Node, r.Reason)
	}
}
