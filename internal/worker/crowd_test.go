package worker

import (
	"fmt"
	"testing"

	"github.com/shunt-fleet/shunt/internal/worker/journal"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestACrowdIsBounded: jobs that reserve nothing have an end as well, and what
// works on containers is not kept out by them.
func TestACrowdIsBounded(t *testing.T) {
	a := newAttempts(messages.Room{})
	admit := func(op messages.Op, n int) (*active, string) {
		at := newActive(journal.Attempt{Job: messages.Job{ID: fmt.Sprintf("%s-%d", op, n), Op: op, Attempt: 1, Spec: &messages.Spec{}}})
		route, err := a.admit(at)
		switch {
		case route != nil:
			return at, string(route.Code)
		case err != nil:
			return at, string(messages.AsError(err).Code)
		}
		return at, ""
	}
	for _, test := range []struct {
		op   messages.Op
		most int
		code string
	}{{messages.OpRun, mostContainers, "capacity"}, {messages.OpPull, mostOps, "resource_exhausted"}} {
		var last *active
		for n := range test.most {
			at, code := admit(test.op, n)
			if code != "" {
				t.Fatalf("%s %d: %s", test.op, n, code)
			}
			last = at
		}
		if _, code := admit(test.op, test.most); code != test.code {
			t.Errorf("%s %d: %q, want %s", test.op, test.most, code, test.code)
		}
		a.drop(last, nil)
		if _, code := admit(test.op, test.most); code != "" {
			t.Errorf("%s, when one is over: %s", test.op, code)
		}
	}
}
