package runtimetest

import (
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// concurrentCases let several callers change one container at the same time.
// What they are told has to be what some order of the calls gives by the
// matrix, and so has the place where the container is left.
func concurrentCases(cfg Config) []testCase {
	var cases []testCase
	for _, p := range cfg.places() {
		for _, r := range changing() {
			if r.moves(p) || p == running && !r.movesAny() {
				cases = append(cases, testCase{
					name: "at_once_" + p.String() + "_" + r.name(), covers: []string{r.op},
					run: func(s *scene) { s.atOnce(p, []row{r, r, r, r, r, r}) },
				})
			}
		}
		cases = append(cases, testCase{name: "at_once_" + p.String() + "_everything", run: func(s *scene) {
			var all []row
			for _, r := range changing() {
				if !s.lacks(r.op) {
					all = append(all, r)
				}
			}
			for range 4 {
				s.atOnce(p, all)
			}
		}})
	}
	return cases
}

// changing are the rows of operations that change a container.
func changing() []row {
	var rows []row
	lifecycle := reflect.TypeFor[runtime.Lifecycle]()
	for _, r := range matrix() {
		if _, ok := lifecycle.MethodByName(r.op); ok {
			rows = append(rows, r)
		}
	}
	return rows
}

func (r row) movesAny() bool {
	return r.moves(created) || r.moves(running) || r.moves(paused) || r.moves(exited) || r.moves(absent)
}

// atOnce makes calls at the same time.
func (s *scene) atOnce(from place, rows []row) {
	s.Helper()
	id := s.bring(from)
	all := make([]happening, len(rows))
	var clock atomic.Int64
	var gate, callers sync.WaitGroup
	gate.Add(1)
	for i, r := range rows {
		callers.Go(func() {
			gate.Wait()
			began := clock.Add(1)
			err := s.call(s.ctx, r, id)
			all[i] = happening{row: r, began: began, ended: clock.Add(1)}
			if err != nil {
				all[i].code = runtime.CodeOf(err)
				s.Logf("%s: %v", r.name(), err)
			}
		})
	}
	gate.Done()
	callers.Wait()
	if stands := s.stands(id); !explained(from, all, stands) {
		s.Errorf("no order of these calls on a container that was %s gives these answers, and that it is %s:\n\t%s", from, stands, list(all))
	}
}
