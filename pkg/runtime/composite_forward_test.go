package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
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
	delegate := &spy{name: "delegate", seen: map[string][]any{}}
	primary := newEmpty()
	c := compose(t, nil, primary, delegate)
	if method.Name == "Create" {
		c = compose(t, nil, primary, notYet{delegate})
	} else {
		_, err := c.State(t.Context(), subjectID) // found while all is well
		must(t, err)
	}
	delegate.err = failure
	want, wantSeen, wantOut := invoke(t, delegate, method, delegate)
	got, gotSeen, gotOut := invoke(t, c, method, delegate)
	if !reflect.DeepEqual(gotSeen, wantSeen) {
		t.Errorf("the member got %#v, want %#v", gotSeen, wantSeen)
	}
	if gotOut != wantOut {
		t.Errorf("written: %q, want %q", gotOut, wantOut)
	}
	checkResults(t, method.Name, failure, got, want)
}

// subjectID is the container that calls are about.
var subjectID = cid("subject", 3)

// notYet holds nothing, so that it can be created.
type notYet struct{ *spy }

func (notYet) State(context.Context, runtime.ContainerID) (runtime.State, error) {
	return runtime.State{}, errdefs.ErrNotFound
}

// invoke calls the operation on rt with made-up arguments, and is its results,
// what the spy saw, and what was written.
func invoke(t *testing.T, rt runtime.Runtime, method reflect.Method, s *spy) (results, seen []any, written string) {
	t.Helper()
	var out strings.Builder
	var args []reflect.Value
	n := 0
	for i := range method.Type.NumIn() {
		args = append(args, argument(t, s, method.Type.In(i), &n, &out))
	}
	clear(s.seen)
	fn := reflect.ValueOf(rt).MethodByName(method.Name)
	if !fn.IsValid() {
		t.Fatalf("%T has no %s", rt, method.Name)
	}
	for _, r := range fn.Call(args) {
		results = append(results, drained(r)...)
	}
	return results, s.seen[method.Name], out.String()
}

func argument(t *testing.T, s *spy, in reflect.Type, n *int, out io.Writer) reflect.Value {
	t.Helper()
	switch in {
	case reflect.TypeFor[context.Context]():
		return reflect.ValueOf(t.Context())
	case reflect.TypeFor[runtime.ContainerID]():
		return reflect.ValueOf(subjectID)
	case reflect.TypeFor[io.Reader]():
		return reflect.ValueOf(strings.NewReader("what is read"))
	case reflect.TypeFor[io.Writer]():
		return reflect.ValueOf(out)
	}
	v := reflect.New(in).Elem()
	s.fill(v, "argument", n)
	return v
}

// drained is a result, or all that a sequence yields.
func drained(r reflect.Value) (all []any) {
	switch v := r.Interface().(type) {
	case iter.Seq2[runtime.Stats, error]:
		return pairs(v)
	case iter.Seq2[runtime.LogEntry, error]:
		return pairs(v)
	case iter.Seq2[runtime.ExecEvent, error]:
		return pairs(v)
	default:
		if r.Kind() == reflect.Func {
			return []any{fmt.Errorf("the test does not know %T", v)}
		}
		return []any{v}
	}
}

func pairs[T any](seq iter.Seq2[T, error]) (all []any) {
	for v, err := range seq {
		all = append(all, v, err)
	}
	return all
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

// The test above would be worth nothing if a call that goes elsewhere, or a
// result that changes, passed it.
func TestForwardingIsReallyChecked(t *testing.T) {
	s := &spy{name: "delegate", seen: map[string][]any{}}
	first, err := give[runtime.Details](s, "Inspect")
	must(t, err)
	second, err := give[runtime.Details](s, "Stats")
	must(t, err)
	if reflect.DeepEqual(first, second) {
		t.Error("made-up results of two operations are the same")
	}
	if v := reflect.ValueOf(first); v.FieldByName("Spec").IsNil() || first.PID == 0 || first.Container.ID.Service == "" {
		t.Errorf("a made-up result has holes: %+v", first)
	}
}

func TestDescribe(t *testing.T) {
	c := compose(t, nil, newEmpty(), &spy{name: "delegate", seen: map[string][]any{}})
	d, err := c.Describe(t.Context())
	must(t, err)
	if d.Kind != "composite" || d.Version != "primary=?, delegate=Describe-10 Describe-11" {
		t.Errorf("got %+v", d)
	}
}
