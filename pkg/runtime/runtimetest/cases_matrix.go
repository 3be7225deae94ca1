package runtimetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// matrixCases walk through the matrix, for each place of a container: the calls
// that leave it there, all on one container, and each that moves it, on one of
// its own. Every call is made with a context that is over, then rightly, then
// once more; the container has to stand where the matrix says after each.
func matrixCases(cfg Config) []testCase {
	var cases []testCase
	for _, p := range cfg.places() {
		cases = append(cases, testCase{name: "in_" + p.String(), run: func(s *scene) { s.stay(p) }})
		for _, r := range matrix() {
			if !r.moves(p) {
				continue
			}
			name, covers := "in_"+p.String()+"_"+r.name(), []string{r.op}
			cases = append(cases, testCase{name: name, covers: covers, run: func(s *scene) { s.move(p, r) }})
			if r.op != "Create" { // whose failure leaves nothing, which has a case of its own
				cases = append(cases, testCase{name: name + "_cut_off", covers: covers, run: func(s *scene) { s.cutOff(p, r) }})
			}
		}
	}
	return cases
}

func (s *scene) stay(p place) {
	id := s.bring(p)
	for _, r := range s.rows() {
		if r.moves(p) {
			continue
		}
		s.Run(r.name(), func(t *testing.T) {
			s := s.with(t)
			if p != absent {
				s.callOver(r, id, p)
			}
			s.step(r, id, s.step(r, id, []place{p}))
		})
	}
}

func (s *scene) move(p place, r row) {
	id := s.bring(p)
	if p != absent {
		s.callOver(r, id, p)
	}
	s.step(r, id, s.step(r, id, []place{p}))
}

// callOver makes a call with a context that is over: it does nothing.
func (s *scene) callOver(r row, id runtime.ContainerID, p place) {
	s.Helper()
	over, cancel := context.WithCancel(s.ctx)
	cancel()
	if err := s.call(over, r, id); !errors.Is(err, context.Canceled) {
		s.Errorf("%s of a container that is %s, with a cancelled context: %v, want an error that wraps context.Canceled", r.name(), p, err)
	}
	if got := s.stands(id); !p.looks(got) {
		s.Fatalf("after %s with a cancelled context the container is %s, want %s", r.name(), got, p)
	}
}

// step makes a call on a container that is in one of some places, and is where
// it may be afterwards. What the matrix does not allow ends the test.
func (s *scene) step(r row, id runtime.ContainerID, from []place) []place {
	s.Helper()
	code, lasts := s.answer(r, id, from)
	var after []place
	for _, p := range from {
		for _, a := range r.outcomes(p) {
			if a.code == code && a.lasts == lasts && !slices.Contains(after, a.to) {
				after = append(after, a.to)
			}
		}
	}
	if len(after) == 0 {
		s.Fatalf("%s of a container that is %v: answered %s, lasting: %v; the matrix allows %+v",
			r.name(), from, orDone(code), lasts, r.outcomes(from[0]))
	}
	stands := s.stands(id)
	seen := slices.DeleteFunc(slices.Clone(after), func(p place) bool { return !p.looks(stands) })
	if len(seen) == 0 {
		s.Fatalf("after %s of a container that is %v it is %s, want %v", r.name(), from, stands, after)
	}
	if len(seen) == 1 && seen[0] == paused && !s.lacks("Pause") {
		s.wantCode("a pause of what is paused after "+r.name(), s.rt.Pause(s.ctx, id), messages.CodeFailedPrecondition)
	}
	return seen
}

// answer makes a call that may last, for as long as it takes to see that.
func (s *scene) answer(r row, id runtime.ContainerID, from []place) (code messages.Code, lasts bool) {
	s.Helper()
	mayLast := slices.ContainsFunc(from, func(p place) bool { return r.outcomes(p)[0].lasts })
	ctx := s.ctx
	if mayLast {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 30*time.Millisecond)
		defer cancel()
	}
	err := s.call(ctx, r, id)
	if err == nil {
		return "", false
	}
	if mayLast && errors.Is(err, context.DeadlineExceeded) && s.ctx.Err() == nil {
		return "", true
	}
	s.Logf("%s: %v", r.name(), err) // for when the matrix does not allow it
	return runtime.CodeOf(err), false
}

func orDone(code messages.Code) string {
	if code == "" {
		return "that it is done"
	}
	return string(code)
}

// cutOff makes a call and gives it up when a part of the time has passed that
// the same call has taken before. It is done, or it says that it was given up;
// either way the container is left in a place where the call can be made again.
func (s *scene) cutOff(p place, r row) {
	id := s.bring(p)
	began := time.Now()
	s.must(s.call(s.ctx, r, id))
	took := time.Since(began)
	for _, part := range []time.Duration{5, 2} {
		id := s.bring(p)
		ctx, cancel := context.WithTimeout(s.ctx, took/part)
		err := s.call(ctx, r, id)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			s.Errorf("%s cut off after %v: %v, want an error that wraps context.DeadlineExceeded", r.name(), took/part, err)
		}
		left := []place{r.in(p).to}
		if err != nil {
			left = r.leaves(p)
		}
		s.step(r, id, left)
	}
}

// leaves is where a call that was given up may leave a container: before, or
// after, or, where the call ends its program or starts one, at that point.
func (r row) leaves(p place) []place {
	left := []place{p, r.in(p).to}
	if p == created || p == exited {
		left = append(left, running)
	}
	if p != created || r.op == "Start" {
		left = append(left, dying, exited)
	}
	return left
}
