package runtimetest

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// mistakeCases make every mistake, all about one container.
func mistakeCases() []testCase {
	return []testCase{{name: "bad_arguments", run: func(s *scene) {
		id := s.bring(running)
		for _, m := range slices.Concat(mistakes(), imageMistakes()) {
			if s.lacks(m.op) {
				continue
			}
			s.Run(m.op+"_"+m.what, func(t *testing.T) {
				s := s.with(t)
				s.wantCode(m.op, m.do(s.ctx, s.rt, s.subject(id)), m.code)
				if got := s.stands(id); got != running {
					s.Errorf("afterwards the container is %s, want it running", got)
				}
			})
		}
	}}}
}

// takesMore tells whether an operation takes more than a context and an id.
func takesMore(op string) bool {
	method, _ := reflect.TypeFor[runtime.Runtime]().MethodByName(op)
	for in := range method.Type.Ins() {
		if in != reflect.TypeFor[context.Context]() && in != reflect.TypeFor[runtime.ContainerID]() {
			return true
		}
	}
	return false
}

// takesID tells whether an operation is one on a container.
func takesID(op string) bool {
	method, _ := reflect.TypeFor[runtime.Runtime]().MethodByName(op)
	return slices.Contains(slices.Collect(method.Type.Ins()), reflect.TypeFor[runtime.ContainerID]())
}

// missingRows is what the tables still need for an operation.
func missingRows(op string) []string {
	var missing []string
	if !slices.ContainsFunc(calls(), func(c call) bool { return c.op == op }) {
		missing = append(missing, "a call in the table of calls.go, with arguments that are all right")
	}
	if takesID(op) && !slices.ContainsFunc(matrix(), func(r row) bool { return r.op == op }) {
		missing = append(missing, "a row in matrix.go: what it answers for a container in each place")
	}
	wrong := func(m mistake) bool { return m.op == op }
	if takesMore(op) && !slices.Contains(takesAnything, op) && !slices.ContainsFunc(mistakes(), wrong) && !slices.ContainsFunc(imageMistakes(), wrong) {
		missing = append(missing, "a row in badarguments.go for each argument that can be wrong, or its name in takesAnything")
	}
	return missing
}
