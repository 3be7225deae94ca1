package worker

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func TestFitHalvesWhatIsTooLong(t *testing.T) {
	deleted := make([]string, 20000)
	for i := range deleted {
		deleted[i] = strings.Repeat("x", 100)
	}
	o := messages.Outcome{V: 1, Job: "a", Node: "n", Status: messages.StatusCompleted, Result: &messages.Result{Deleted: deleted, Stdout: strings.Repeat("é", 1000)}}
	fit(&o)
	data, err := messages.Encode(o)
	if err != nil || len(data) > roomForOutcome || len(data) < roomForOutcome/4 {
		t.Errorf("%d bytes (%v)", len(data), err)
	}
	if !o.Result.Truncated || !utf8.ValidString(o.Result.Stdout) {
		t.Errorf("truncated is %v", o.Result.Truncated)
	}
	small := messages.Outcome{Result: &messages.Result{Deleted: []string{"a"}}}
	if fit(&small); small.Result.Truncated || len(small.Result.Deleted) != 1 {
		t.Errorf("a small one was cut to %+v", small.Result)
	}
}

func TestMendMakesAnOutcomeThatPlacersRead(t *testing.T) {
	base := func() messages.Outcome {
		return messages.Outcome{V: 1, Job: "a", Op: messages.OpRun, Node: "n", Attempt: 1, Seq: 1, Status: messages.StatusCompleted}
	}
	for name, c := range map[string]struct {
		spoil  func(*messages.Outcome)
		status messages.Status
	}{
		"a strange result":          {func(o *messages.Outcome) { o.Result = &messages.Result{ExitReason: "bored"} }, messages.StatusCompleted},
		"a failure without a cause": {func(o *messages.Outcome) { o.Status, o.Result = messages.StatusFailed, &messages.Result{IP: "here"} }, messages.StatusFailed},
		"an error too long": {func(o *messages.Outcome) {
			o.Status, o.Error = messages.StatusFailed, &messages.Error{Code: messages.CodeInternal, Message: strings.Repeat("x", 5000)}
		}, messages.StatusFailed},
		"a route to nowhere": {func(o *messages.Outcome) {
			o.Status, o.Route = messages.StatusRouteToPeer, &messages.RouteToPeer{Code: "mood"}
		}, messages.StatusFailed},
	} {
		o := base()
		c.spoil(&o)
		if err := mend(&o); err == nil {
			t.Errorf("%s: nothing was wrong", name)
		}
		if err := o.Validate(); err != nil || o.Status != c.status {
			t.Errorf("%s: it is %s (%v)", name, o.Status, err)
		}
	}
	o := base()
	if err := mend(&o); err != nil || o.Status != messages.StatusCompleted {
		t.Errorf("a good one: %v", err)
	}
}
