package placement

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// lost is the loss of node a.
var lost = NodeLost{Node: "a", Reason: "silent for 10s"}

// fences writes a record's debts.
func fences(r *messages.Record) string {
	var parts []string
	for _, f := range r.Fences {
		text := fmt.Sprintf("%s %d", f.Node, f.Attempt)
		if f.Expired {
			text += " expired"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}

func service(r *messages.Record) { r.Job.Kind, r.Named = messages.KindService, true }

func TestWhatALostNodeHadGoesByItsPolicy(t *testing.T) {
	policy := func(p messages.Policy) func(*messages.Record) {
		return func(r *messages.Record) { r.Job.Policy = p }
	}
	for name, c := range map[string]struct {
		state  messages.State
		change func(*messages.Record)
		event  NodeLost
		want   string // state, node and attempt; debts
	}{
		"a task that nobody heard of":        {"assigned", nil, lost, "assigned b 3; a 2"},
		"a started task":                     {"running", nil, lost, "lost a 2; a 2"},
		"a started task, idempotent":         {"running", policy(messages.Policy{Idempotent: true}), lost, "assigned b 3; a 2"},
		"a started task, reschedule":         {"running", policy(messages.Policy{OnNodeLoss: "reschedule"}), lost, "assigned b 3; a 2"},
		"a started task, wait":               {"running", policy(messages.Policy{OnNodeLoss: "wait"}), lost, "running a 2; "},
		"a started task, wait, another life": {"running", policy(messages.Policy{OnNodeLoss: "wait"}), NodeLost{Node: "a", Journal: "ja"}, "running a 2; "},
		"a started task, fail":               {"running", policy(messages.Policy{OnNodeLoss: "fail", Idempotent: true}), lost, "lost a 2; a 2"},
		"an assigned task, wait":             {"assigned", policy(messages.Policy{OnNodeLoss: "wait"}), lost, "assigned a 2; "},
		"a service":                          {"running", service, lost, "assigned b 3; a 2"},
		"a service, used up":                 {"running", func(r *messages.Record) { service(r); r.Starts = 5 }, lost, "dead  2; a 2"},
		"a service, well for long": {"running", func(r *messages.Record) {
			service(r)
			r.Starts, r.Healthy, r.HealthySince = 5, true, epoch.Add(-time.Hour)
		}, lost, "assigned b 3; a 2"},
		"a service that must stop, lease on":  {"running", func(r *messages.Record) { service(r); r.Job.Policy.OnPartition = "stop" }, lost, "running a 2; "},
		"a service that must stop, lease off": {"running", func(r *messages.Record) { service(r); r.Job.Policy.OnPartition = "stop" }, NodeLost{Node: "a", LeaseOver: true}, "assigned b 3; a 2 expired"},
		"being cancelled":                     {"cancelling", nil, lost, "cancelled a 2; a 2"},
		"tied to its node":                    {"running", func(r *messages.Record) { service(r); r.Job.Target = "a" }, lost, "assigned b 3; a 2"},
		"tied to its node for good":           {"running", func(r *messages.Record) { service(r); r.Job.Target, r.Job.Policy.Reroute = "a", "never" }, lost, "pending  2; a 2"},
		"waiting":                             {"pending", nil, lost, "pending  2; "},
		"another node":                        {"running", nil, NodeLost{Node: "b"}, "running a 2; "},
		"another journal":                     {"running", func(r *messages.Record) { r.Journal = "ja" }, NodeLost{Node: "a", Journal: "jb"}, "running a 2; "},
		"its journal":                         {"running", func(r *messages.Record) { r.Journal = "ja" }, NodeLost{Node: "a", Journal: "ja"}, "lost a 2; a 2"},
		"ended":                               {"completed", nil, lost, "completed a 2; "},
	} {
		t.Run(name, func(t *testing.T) {
			r := recordIn(c.state)
			if c.change != nil {
				c.change(r)
			}
			got, _ := next(t, r, c.event, fleetOf(t, epoch, node("b", "linux/amd64")), epoch)
			if said := fmt.Sprintf("%s %s %d; %s", got.State, got.Node, got.Attempt, fences(got)); said != c.want {
				t.Errorf("it is %q (%s), want %q", said, got.Reason, c.want)
			}
		})
	}
}

// The story of a node that is lost and comes back: its attempt moves, the debt
// stays in the record beyond the job's end, and is paid once.
func TestADebtIsKeptUntilItIsPaid(t *testing.T) {
	peers := fleetOf(t, epoch, node("b", "linux/amd64"))
	r := recordIn(messages.StateRunning)
	r.Job.Policy.Idempotent = true
	r, _ = next(t, r, lost, peers, epoch)
	r, _ = next(t, r, Reported{outcome("completed", of("b", 3, 2))}, peers, epoch)
	r, effects := r, Due(r)
	if show(effects) != "revoke(a 2) finish" {
		t.Fatalf("it is %s, and due are %s", r.State, show(effects))
	}
	if late, _ := next(t, r, Reported{outcome("completed", of("a", 2, 2))}, peers, epoch); fences(late) != "a 2" {
		t.Error("the end of the old attempt has paid for its revoke")
	}
	r, effects = next(t, r, Reported{outcome("revoked", of("a", 2, 9))}, peers, epoch)
	if fences(r) != "" || show(effects) != "finish delete" {
		t.Errorf("owed are %q, and due is %s", fences(r), show(effects))
	}
	if again, effects := next(t, r, Reported{outcome("revoked", of("a", 2, 9))}, peers, epoch); again != r || len(effects) > 0 {
		t.Error("a second confirmation has a second effect")
	}
}

// What must never run twice at once waits for the debt, or for the lease.
func TestAJobThatStopsWaitsUntilItHasStopped(t *testing.T) {
	peers := fleetOf(t, epoch, node("b", "linux/amd64"), node("a", "linux/amd64"))
	r := recordIn(messages.StateRunning)
	service(r)
	r.Job.Policy.OnPartition, r.Journal = messages.PartitionStop, "old"
	r, _ = next(t, r, NodeLost{Node: "a", Journal: "old"}, peers, epoch)
	if r.State != messages.StatePending || fences(r) != "a 2" || !strings.Contains(r.Reason, "let go of attempt 2") {
		t.Fatalf("it is %s (%s), owing %q", r.State, r.Reason, fences(r))
	}
	if r, _ := next(t, r, Tick{}, peers, epoch.Add(time.Hour)); r.State != messages.StatePending {
		t.Fatalf("it is %s while its old attempt may run", r.State)
	}
	if r, _ := next(t, r, NodeLost{Node: "a", LeaseOver: true}, peers, epoch); r.State != messages.StateAssigned || fences(r) != "a 2 expired" {
		t.Errorf("with the lease over it is %s, owing %q", r.State, fences(r))
	}
	if r, _ := next(t, r, Reported{outcome("revoked", of("a", 2, 3))}, peers, epoch); r.State != messages.StateAssigned || fences(r) != "" {
		t.Errorf("with the debt paid it is %s, owing %q", r.State, fences(r))
	}
}

// An operator's word ends every debt to a node.
func TestAForgottenNodeIsOwedNothing(t *testing.T) {
	peers := fleetOf(t, epoch, node("b", "linux/amd64"))
	for _, c := range []struct {
		state messages.State
		want  messages.State
	}{{"running", "lost"}, {"assigned", "assigned"}, {"completed", "completed"}, {"cancelling", "cancelled"}} {
		r := recordIn(c.state)
		r.Job.Policy.OnNodeLoss = messages.LossWait
		r.Fences = []messages.Fence{{Node: "a", Attempt: 1}, {Node: "z", Attempt: 1}}
		r, _ = next(t, r, NodeForgotten{"a"}, peers, epoch)
		if r.State != c.want || fences(r) != "z 1" {
			t.Errorf("%s: it is %s, owing %q", c.state, r.State, fences(r))
		}
	}
}

// Writes that the bus has lost are gone above; what was done is not done again.
func TestAnAttemptAboveTheRecordsIsGoneAbove(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	r := recordIn(messages.StateRunning)
	service(r)
	r, _ = next(t, r, Reported{outcome("running", of("c", 7, 2))}, peers, epoch)
	if r.State != messages.StateAssigned || r.Attempt != 8 || fences(r) != "a 2, c 7" {
		t.Errorf("it is %s with attempt %d, owing %q", r.State, r.Attempt, fences(r))
	}
	r = recordIn(messages.StateRunning)
	r, _ = next(t, r, Reported{outcome("completed", of("c", 7, 2))}, peers, epoch)
	if r.State != messages.StateCompleted || r.Node != "c" || fences(r) != "a 2" {
		t.Errorf("it is %s on %s, owing %q", r.State, r.Node, fences(r))
	}
	r = recordIn(messages.StateRunning)
	if got, _ := next(t, r, Reported{outcome("running", of("c", 1<<60, 2))}, peers, epoch); got.Attempt != 2 || got.Highest != 0 {
		t.Errorf("nonsense has moved the attempt to %d", got.LastAttempt())
	}
}

// The same id sent directly to two nodes: the one adopted second is revoked.
func TestTheSecondOfTwoNodesIsRevoked(t *testing.T) {
	peers := fleetOf(t, epoch, node("a", "linux/amd64"), node("b", "linux/amd64"))
	body := runJob()
	first := outcome("accepted", of("a", 1, 1), func(o *messages.Outcome) { o.JobBody, o.Fingerprint = &body, fingerprint })
	second := outcome("accepted", of("b", 1, 1), func(o *messages.Outcome) { o.JobBody, o.Fingerprint = &body, fingerprint })
	r, _ := next(t, nil, Reported{first}, peers, epoch)
	r, effects := next(t, r, Reported{second}, peers, epoch)
	if r.Node != "a" || show(effects) != "revoke(b 1)" {
		t.Fatalf("it is on %s: %s", r.Node, show(effects))
	}
	if again, _ := next(t, r, Reported{second}, peers, epoch); again != r {
		t.Error("a repeat has an effect")
	}
	r, _ = next(t, r, Reported{outcome("revoked", of("b", 1, 2))}, peers, epoch)
	if again, effects := next(t, r, Reported{second}, peers, epoch); again != r || len(effects) > 0 {
		t.Error("a repeat that comes after the revoke has an effect")
	}
}
