package remote_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

// Every operation of the port, found by reflection, reaches the far runtime with
// every field of its arguments, and every field of its result comes back, beside
// its error.
func TestEveryOperationIsCarried(t *testing.T) {
	spy := &runtimetest.Spy{Name: "far"}
	r := near(t, &farEnd{rt: spy})
	for _, op := range runtimetest.Operations() {
		t.Run(op, func(t *testing.T) {
			for _, failure := range []error{nil, errors.New("the far end's own error")} {
				spy.Err = failure
				want := spy.Invoke(t, spy, op)
				got := spy.Invoke(t, r, op)
				if !reflect.DeepEqual(got.Seen, want.Seen) {
					t.Errorf("the far runtime got %#v, want %#v", got.Seen, want.Seen)
				}
				if got.Written != want.Written {
					t.Errorf("written: %q, want %q", got.Written, want.Written)
				}
				if op != "ExecSession" || failure != nil { // a session is not passed on, but made anew
					compare(t, op, got.Results, want.Results)
				}
			}
		})
	}
}

func compare(t *testing.T, op string, got, want []any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %#v, want %#v", got, want)
	}
	for i := range want {
		if wanted, ok := want[i].(error); ok {
			if err, ok := got[i].(error); !ok || err.Error() != wanted.Error() {
				t.Errorf("%s gave the error %v, want %v", op, got[i], wanted)
			}
		} else if op != "ExecSession" && !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("%s gave %#v, want %#v", op, got[i], want[i])
		}
	}
}
