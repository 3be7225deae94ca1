package runtime_test

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

// emptyMember is a Windows member that holds nothing and can do nothing.
type emptyMember struct{ *fake }

func (emptyMember) List(context.Context) ([]runtime.Container, error) {
	return nil, errdefs.ErrNotImplemented
}

func newEmpty() emptyMember {
	f := newFake("primary", &calls{}, "windows/amd64")
	for _, op := range []string{"ListImages", "RemoveImage", "TagImage", "PruneImages", "PruneContainers"} {
		f.fail(op, errdefs.ErrNotImplemented)
	}
	return emptyMember{f}
}

// Every operation of the port, found by reflection, reaches the member that
// holds the container (or, of the others, the one that can) with its arguments
// as they were, and its result and error come back as they were.
func TestEveryOperationIsForwarded(t *testing.T) {
	port := reflect.TypeFor[runtime.Runtime]()
	for method := range port.Methods() {
		switch method.Name {
		case "Platforms", "Describe": // the composite's own; see TestDescribe and TestWeakPoint12
			continue
		}
		t.Run(method.Name, func(t *testing.T) {
			for _, failure := range []error{nil, errors.New("the member's own error")} {
				forwards(t, method, failure)
			}
		})
	}
}

func forwards(t *testing.T, method reflect.Method, failure error) {
	t.Helper()
	delegate := &runtimetest.Spy{Name: "delegate"}
	primary := newEmpty()
	c := compose(t, nil, primary, delegate)
	if method.Name == "Create" {
		c = compose(t, nil, primary, notYet{delegate})
	} else {
		_, err := c.State(t.Context(), runtimetest.SpySubject) // found while all is well
		must(t, err)
	}
	delegate.Err = failure
	want := delegate.Invoke(t, delegate, method.Name)
	got := delegate.Invoke(t, c, method.Name)
	if !reflect.DeepEqual(got.Seen, want.Seen) {
		t.Errorf("the member got %#v, want %#v", got.Seen, want.Seen)
	}
	if got.Written != want.Written {
		t.Errorf("written: %q, want %q", got.Written, want.Written)
	}
	checkResults(t, method.Name, failure, got.Results, want.Results)
}

// notYet holds nothing, so that it can be created.
type notYet struct{ *runtimetest.Spy }

func (notYet) State(context.Context, runtime.ContainerID) (runtime.State, error) {
	return runtime.State{}, errdefs.ErrNotFound
}

// onAllMembers are the operations whose error is everybody's, so that the
// member's own is only part of it, and whose result is nothing then.
var onAllMembers = map[string]bool{
	"List": true, "ListImages": true, "PruneImages": true, "PruneContainers": true,
	"LoadImages": true, "ImageHistory": true, "SearchImages": true, "ImportImage": true,
}

func checkResults(t *testing.T, op string, failure error, got, want []any) {
	t.Helper()
	if failure != nil && onAllMembers[op] {
		if err, _ := got[len(got)-1].(error); !errors.Is(err, failure) {
			t.Errorf("got %v, want the member's error in it", err)
		}
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want the member's %#v", got, want)
	}
}

func TestDescribe(t *testing.T) {
	c := compose(t, nil, newEmpty(), &runtimetest.Spy{Name: "delegate"})
	d, err := c.Describe(t.Context())
	must(t, err)
	if d.Kind != "composite" || d.Version != "primary=?, delegate=Describe-10 Describe-11" {
		t.Errorf("got %+v", d)
	}
}
