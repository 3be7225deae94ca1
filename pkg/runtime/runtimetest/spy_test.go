package runtimetest_test

import (
	"reflect"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

// What is made up by a Spy has no holes, and no two operations give the same: a
// call that goes elsewhere, or a field that is lost, shows.
func TestSpyMakesUpWholeResults(t *testing.T) {
	spy := &runtimetest.Spy{Name: "spy"}
	inspect := spy.Invoke(t, spy, "Inspect")
	details, ok := inspect.Results[0].(runtime.Details)
	if !ok || details.Spec == nil || details.PID == 0 || details.ID.Service == "" || details.Container.Runtime != "spy" {
		t.Errorf("a made-up result has holes: %+v", inspect.Results)
	}
	state, err := spy.State(t.Context(), runtimetest.SpySubject)
	if err != nil || reflect.DeepEqual(state, details.State) {
		t.Errorf("two operations give the same: %+v, %v", state, err)
	}
	for _, op := range runtimetest.Operations() {
		if got := spy.Invoke(t, spy, op); got.Seen == nil || len(got.Results) == 0 {
			t.Errorf("%s was not seen", op)
		}
	}
}
