package runtimetest

import (
	"context"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// SpySubject is the container that the calls of Invoke are about.
var SpySubject = runtime.ContainerID{Service: "subject", Replica: 3}

// Invocation is what came of a call with made-up arguments.
type Invocation struct {
	Results []any  // of a sequence, all its items and errors
	Seen    []any  // the arguments that reached the Spy; nil if the call has not
	Written string // to the call's io.Writer
}

// Invoke calls an operation of rt, with every field of its arguments made up: of
// the Spy itself, or of what passes calls on to it, which is right if both come
// to the same.
func (s *Spy) Invoke(t testing.TB, rt runtime.Runtime, op string) Invocation {
	t.Helper()
	fn := reflect.ValueOf(rt).MethodByName(op)
	if !fn.IsValid() {
		t.Fatalf("%T has no %s", rt, op)
	}
	var out strings.Builder
	var args []reflect.Value
	n := 0
	for in := range fn.Type().Ins() {
		args = append(args, s.argument(t, in, &n, &out))
	}
	s.mu.Lock()
	clear(s.seen)
	s.mu.Unlock()
	var got Invocation
	for _, r := range fn.Call(args) {
		got.Results = append(got.Results, drained(r)...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	got.Seen, got.Written = s.seen[op], out.String()
	return got
}

func (s *Spy) argument(t testing.TB, in reflect.Type, n *int, out io.Writer) reflect.Value {
	t.Helper()
	switch in {
	case reflect.TypeFor[context.Context]():
		return reflect.ValueOf(t.Context())
	case reflect.TypeFor[runtime.ContainerID]():
		return reflect.ValueOf(SpySubject)
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
	if r.Kind() != reflect.Func {
		return []any{r.Interface()}
	}
	for item, err := range r.Seq2() {
		all = append(all, item.Interface(), err.Interface())
	}
	return all
}
