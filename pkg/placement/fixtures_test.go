package placement

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/peer"
)

var (
	epoch       = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	fingerprint = strings.Repeat("ab", 32)
	another     = strings.Repeat("cd", 32)
)

// fleetOf is a snapshot of nodes that were heard at the time.
func fleetOf(t testing.TB, at time.Time, nodes ...messages.Capabilities) peer.Snapshot {
	t.Helper()
	table := peer.NewTable(0)
	for _, c := range nodes {
		if _, ok := table.Hear(c, at); !ok {
			t.Fatalf("the heartbeat of %s was dropped", c.Node)
		}
	}
	return table.Snapshot()
}

// node is the heartbeat of a node with room.
func node(name string, platforms ...string) messages.Capabilities {
	c := messages.Capabilities{
		V: messages.Version, Node: name, Incarnation: "j" + name + ".1", Seq: 1, TTL: messages.Duration(10 * time.Second),
		Free: messages.Room{CPUMilli: 4000, Memory: 8 << 30, PIDs: 1000}, Total: messages.Room{CPUMilli: 8000, Memory: 16 << 30, PIDs: 2000},
	}
	for _, p := range parsed(platforms...) {
		c.Platforms = append(c.Platforms, messages.RuntimePlatform{Platform: p, Runtime: "primary"})
	}
	return c
}

func parsed(platforms ...string) []messages.Platform {
	var out []messages.Platform
	for _, text := range platforms {
		p, err := messages.ParsePlatform(text)
		if err != nil {
			panic(err)
		}
		out = append(out, p)
	}
	return out
}

func runJob() messages.Job {
	return messages.Job{V: messages.Version, ID: "job-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "registry.example/web:1"}}
}

// recordIn is a job that has come to the state on node a, as its attempt 2.
func recordIn(state messages.State) *messages.Record {
	r := &messages.Record{
		V: messages.Version, Job: runJob(), State: state, Node: "a", Attempt: 2,
		Created: epoch, Updated: epoch, Fingerprint: fingerprint,
		History: []messages.History{{At: epoch, Node: "a", Attempt: 2, Event: "placed"}},
	}
	switch state {
	case messages.StatePending:
		r.Node, r.Reason = "", "no node can take it"
	case messages.StateAssigned:
	default:
		r.Starts = 1
		r.Outcome = &messages.Outcome{V: 1, Job: "job-1", Op: messages.OpRun, Node: "a", Attempt: 2, Seq: 1, Status: messages.StatusAccepted, At: epoch}
	}
	return r
}

// outcome is what node a says of attempt 2, as its second word.
func outcome(status messages.Status, change ...func(*messages.Outcome)) messages.Outcome {
	o := messages.Outcome{V: 1, Job: "job-1", Op: messages.OpRun, Node: "a", Attempt: 2, Seq: 2, Status: status, At: epoch}
	switch status {
	case messages.StatusRouteToPeer:
		o.Route = &messages.RouteToPeer{Service: "job-1", Code: messages.RefuseLabels, Reason: "no such label"}
	case messages.StatusFailed, messages.StatusInterrupted:
		o.Error = &messages.Error{Code: messages.CodeInvalidArgument, Message: "a bad job"}
	case messages.StatusRejected:
		o.Error = &messages.Error{Code: messages.CodeMalformed, Message: "not a job"}
		o.Seq = 1
	}
	for _, f := range change {
		f(&o)
	}
	return o
}

func passing(o *messages.Outcome) {
	o.Error = &messages.Error{Code: messages.CodeUnavailable, Message: "the registry is away", Retryable: true}
}

// unwell makes a running service one whose check fails.
func unwell(o *messages.Outcome) {
	healthy := false
	o.Result = &messages.Result{Healthy: &healthy}
}

func exit(code int) func(*messages.Outcome) {
	return func(o *messages.Outcome) {
		o.Error, o.Result = nil, &messages.Result{ExitCode: &code, ExitReason: messages.ExitExited}
	}
}

func of(node string, attempt, seq uint64) func(*messages.Outcome) {
	return func(o *messages.Outcome) { o.Node, o.Attempt, o.Seq = node, attempt, seq }
}

func refusing(code messages.RefuseCode, platforms ...string) func(*messages.Outcome) {
	return func(o *messages.Outcome) {
		o.Route = &messages.RouteToPeer{Service: "job-1", Code: code, Reason: string(code), Platforms: parsed(platforms...)}
	}
}

// next is Next, with what holds of every call: the record that goes in is not
// written to, an unchanged one comes out as itself, a changed one is valid.
func next(t testing.TB, r *messages.Record, ev Event, peers peer.Snapshot, now time.Time) (*messages.Record, []Effect) {
	t.Helper()
	before := text(t, r)
	got, effects := Next(r, ev, peers, now)
	if after := text(t, r); after != before {
		t.Fatalf("%T wrote to the record it was given:\n%s\n%s", ev, before, after)
	}
	if got != nil {
		if err := got.Validate(); err != nil {
			t.Fatalf("%T makes a record that is not valid: %v\n%s", ev, err, text(t, got))
		}
	}
	return got, effects
}

func text(t testing.TB, r *messages.Record) string {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// show is effects as the tables below write them.
func show(effects []Effect) string {
	var parts []string
	for _, effect := range effects {
		switch e := effect.(type) {
		case Command:
			parts = append(parts, fmt.Sprintf("command(%s %d)", e.Node, e.Attempt))
		case Revoke:
			parts = append(parts, fmt.Sprintf("revoke(%s %d)", e.Node, e.Attempt))
		case Finish:
			parts = append(parts, "finish")
		case Delete:
			parts = append(parts, "delete")
		case Claim:
			what := "claim"
			if e.Take {
				what = "take"
			}
			parts = append(parts, what)
		case Supersede:
			parts = append(parts, fmt.Sprintf("supersede(%s)", e.Job))
		case Repeat:
			parts = append(parts, "repeat")
		case Reject:
			parts = append(parts, fmt.Sprintf("reject(%s)", e.Error.Code))
		case Tell:
			parts = append(parts, fmt.Sprintf("tell(%s)", e.Kind))
		}
	}
	return strings.Join(parts, " ")
}
