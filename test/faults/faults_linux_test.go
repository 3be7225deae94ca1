package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/internal/census"
	"github.com/shunt-fleet/shunt/internal/grpcfault"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
)

// away is a fault of the test's own: from the call on containerd refuses all
// calls, until the operation has returned, or for longer than a hasty runtime
// insists.
const (
	away    grpcfault.Fault = "away"
	awayFor                 = haste * 3 / 2
)

// faults are what happens to each call in turn. Slow, which can do little harm,
// happens to all calls of an operation at once.
var faults = []grpcfault.Fault{
	grpcfault.RefuseBefore, grpcfault.RefuseAfter, grpcfault.CutAfter,
	grpcfault.HangBefore, grpcfault.HangAfter, away,
}

// reads are the ends of the names of calls that change nothing. That the answer
// to one is lost is as if it had not been made.
var reads = []string{"/Get", "/List", "/ListStream", "/Info", "/Read", "/Stat", "/Mounts", "/Usage", "/Metrics", "/Plugins"}

// without tells whether a fault would show nothing at a call.
func without(call grpcfault.Call, fault grpcfault.Fault) bool {
	lost := fault == grpcfault.RefuseAfter || fault == grpcfault.CutAfter
	return lost && onlyReads(call)
}

func onlyReads(call grpcfault.Call) bool {
	return slices.ContainsFunc(reads, func(end string) bool { return strings.HasSuffix(call.Method, end) })
}

// trial is an operation with a fault at one of its calls, or at all of them.
type trial struct {
	operation
	calls []grpcfault.Call
	fault grpcfault.Fault
}

func (c trial) String() string { return fmt.Sprintf("%s, %s at %v", c.name, c.fault, c.calls) }

// done tells whether an error says that there is nothing left to do: a start that
// could not be taken back, since containerd was away, has started.
func (c trial) done(l *lane, err error) bool {
	s, stateErr := l.rt.State(l.ctx, l.id)
	return errdefs.IsFailedPrecondition(err) && stateErr == nil && s.Phase == runtime.PhaseRunning
}

// TestFaultAtEveryCall does each operation once to see what it calls, and then
// once more for each of these calls and each fault.
func TestFaultAtEveryCall(t *testing.T) {
	m := shared.start(t)
	trials := enumerate(t, m)
	queue := make(chan trial, len(trials))
	for _, c := range trials {
		queue <- c
	}
	close(queue)
	var hit, all atomic.Int64
	var drivers sync.WaitGroup
	lanes := make([]*lane, 16)
	for i := range lanes {
		lanes[i] = newLane(t, m)
	}
	for _, l := range lanes {
		l.apart = true
		drivers.Go(func() {
			for c := range queue {
				hit.Add(l.try(c))
				all.Add(int64(len(c.calls)))
			}
		})
	}
	drivers.Wait()
	t.Logf("%d of %d pairs of a call and a fault were hit", hit.Load(), all.Load())
	if hit.Load() < all.Load() {
		t.Error("a fault was not hit: its operation did not make the call that it made the first time")
	}
	if len(queue) > 0 {
		t.Errorf("%d trials were not made", len(queue))
	}
}

// enumerate finds out what calls there are.
func enumerate(t *testing.T, m *machine) (trials []trial) {
	t.Run("enumerate", func(t *testing.T) { trials = newLane(t, m).trialsOf(operations, faults) })
	return trials
}

// trialsOf does operations to see what they call.
func (l *lane) trialsOf(operations []operation, faults []grpcfault.Fault) (trials []trial) {
	for _, op := range operations {
		op.before(l)
		l.proxy.Plan(nil)
		l.must(op.do(l.ctx, l, l.rt))
		calls := l.proxy.Calls()
		l.undo()
		l.Logf("%s: %d calls: %v", op.name, len(calls), calls)
		for i := range calls {
			for _, fault := range faults {
				if !without(calls[i], fault) {
					trials = append(trials, trial{op, calls[i : i+1], fault})
				}
			}
		}
		if slices.Contains(faults, grpcfault.RefuseBefore) {
			trials = append(trials, trial{op, calls, grpcfault.Slow})
		}
	}
	return trials
}

// try makes a trial, and makes it again when the call was not made: what is done
// side by side does not always call as often, and a context may end too soon.
// hits is how many of the calls were made in the end.
func (l *lane) try(c trial) (hits int64) {
	began := time.Now()
	for patience := time.Second; hits < int64(len(c.calls)) && patience < 32*time.Second; patience *= 2 {
		hits = l.tryOnce(c, patience)
	}
	l.Logf("%s: %s", c, time.Since(began))
	if hits < int64(len(c.calls)) {
		l.Logf("%s: only %d were made", c, hits)
	}
	return hits
}

// tryOnce does an operation with a fault in it. It has to succeed, or to fail
// with an error that says what failed and can be tried again; then it is, without
// the fault. Afterwards nothing is left.
func (l *lane) tryOnce(c trial, patience time.Duration) int64 {
	l.Helper()
	c.before(l)
	rt, most := l.rt, 2*time.Minute
	switch c.fault {
	case grpcfault.HangBefore, away:
		rt = l.hasty
	case grpcfault.HangAfter:
		most = patience
	}
	hits, err := l.doWithFault(c, rt, most)
	if err != nil {
		l.judge(c, err)
		again := c.do(l.ctx, l, rt)
		for range 2 { // a hasty one may find a busy machine
			if again != nil && runtime.Retryable(again) && !c.done(l, again) {
				again = c.do(l.ctx, l, rt)
			}
		}
		if again != nil && !c.done(l, again) {
			l.Errorf("%s: tried again without it: %v; after: %v", c, again, err)
		}
	}
	if !c.tidies {
		l.undo()
	}
	ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
	defer cancel()
	if err := census.Settle(ctx, l.place, l.clean); err != nil {
		l.must(fmt.Errorf("%s: %w", c, err))
	}
	return hits
}

// doWithFault does the operation for at most some time.
func (l *lane) doWithFault(c trial, rt *containerd.Runtime, most time.Duration) (hits int64, err error) {
	var gone atomic.Bool
	var met atomic.Int64
	again := func() error { return nil } // until containerd runs again
	l.proxy.Plan(func(call grpcfault.Call) grpcfault.Fault {
		switch {
		case gone.Load():
			return grpcfault.RefuseBefore
		case !slices.Contains(c.calls, call):
			return grpcfault.None
		}
		met.Add(1)
		switch c.fault {
		case away:
		case kill9:
			again = l.m.kill()
			return grpcfault.None
		default:
			return c.fault
		}
		gone.Store(true)
		time.AfterFunc(awayFor, func() { gone.Store(false) })
		return grpcfault.RefuseBefore
	})
	defer l.proxy.Plan(nil)
	ctx, cancel := context.WithTimeout(l.ctx, most)
	defer cancel()
	returned := make(chan error, 1)
	go func() { returned <- c.do(ctx, l, rt) }()
	select {
	case err := <-returned:
		l.must(again())
		return met.Load(), err
	case <-time.After(most + time.Minute):
		l.must(fmt.Errorf("%s: it has not returned a minute after its context ended", c))
		return 0, nil
	}
}

// judge looks at an error, and at what was left when it came.
func (l *lane) judge(c trial, err error) {
	l.Helper()
	if !runtime.Retryable(err) {
		l.Errorf("%s: the error cannot be tried again: %v", c, err)
	}
	if !strings.Contains(err.Error(), l.id.Service) && !strings.Contains(err.Error(), "containerd: list") {
		l.Errorf("%s: the error does not say what it is about: %v", c, err)
	}
	if c.fault == away || c.removes {
		return // it could not tidy up; what is removed in part is removed by the next one
	}
	ctx, cancel := context.WithTimeout(l.ctx, time.Minute)
	defer cancel()
	for {
		half := l.whole()
		if half == nil {
			return
		}
		select {
		case <-ctx.Done():
			l.Errorf("%s: %v; the error was: %v", c, half, err)
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// whole tells whether all containers are whole: each with its record, its file
// system and its log, and nothing beside them.
func (l *lane) whole() error {
	now, err := census.Take(l.ctx, l.place)
	if err != nil {
		return err
	}
	var active, views []string
	for _, s := range now["snapshot"] {
		kind, name, _ := strings.Cut(s, " ")
		switch kind {
		case "Active":
			active = append(active, name)
		case "View":
			views = append(views, name)
		}
	}
	var logs []string
	entries, err := os.ReadDir(filepath.Join(l.cfg.StateDir, "logs", "live"))
	if err != nil {
		return err
	}
	for _, e := range entries {
		logs = append(logs, e.Name())
	}
	fifos, err := filepath.Glob(filepath.Join(l.cfg.StateDir, "fifo", "*"))
	if err != nil {
		return err
	}
	if !slices.Equal(now["container"], active) || !slices.Equal(active, logs) {
		return fmt.Errorf("half made: records %v, file systems %v, logs %v", now["container"], active, logs)
	}
	if len(now["lease"])+len(views)+len(fifos) > 0 {
		return fmt.Errorf("left: leases %v, views %v, FIFOs %v", now["lease"], views, fifos)
	}
	return nil
}

// undo takes away what an operation may have made.
func (l *lane) undo() {
	l.Helper()
	l.must(unlessGone(l.rt.Remove(l.ctx, l.id, runtime.RemoveOptions{Force: true})))
	if l.other != "" {
		l.must(unlessGone(l.rt.RemoveImage(l.ctx, l.other, false)))
		l.other = ""
	}
}
