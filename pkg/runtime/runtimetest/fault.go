package runtimetest

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Point is when a fault strikes a call.
type Point int

// The points.
const (
	Before Point = iota // and then the call has no effect if the fault ends it
	After               // when it has had its effect, which its caller does not learn
)

// A Fault strikes some calls of one operation, or of all. What it does is done
// in the order of the fields: a Fault with none of them only counts.
type Fault struct {
	Op        string              // "": any operation
	Container runtime.ContainerID // zero: any container, and calls that have none
	Nth       int                 // of the calls that match, the first to be struck, from 1; 0 is 1
	Times     int                 // how many are struck from there on; 0 is 1, negative: all
	When      Point

	Do     func(Call)      // called with the call as it is known so far
	Hold   <-chan struct{} // waits until it is closed, or the call's context is done
	Cancel bool            // cancels the call's context; After, the call answers that it was
	Crash  bool            // ends the Faulty: see ErrCrashed
	Err    error           // what the call answers
}

// ErrCrashed is what calls of a Faulty answer from its crash on, those under way
// included, whose contexts are cancelled. It is of class Unavailable, but nobody
// should be there to read it: the caller is the one who crashed.
var ErrCrashed = fmt.Errorf("runtimetest: crashed: %w", errdefs.ErrUnavailable)

// armed is a fault and how many calls it has matched.
type armed struct {
	Fault
	matched int
}

func arm(f Fault) *armed {
	if f.Op != "" && !slices.Contains(Operations(), f.Op) {
		panic(fmt.Sprintf("runtimetest: fault: %q is not an operation of runtime.Runtime", f.Op))
	}
	return &armed{Fault: f}
}

// matches counts the call if it is one of the fault's, and tells whether it is
// to be struck.
func (a *armed) matches(c *Call) bool {
	if a.Op != "" && a.Op != c.Op || a.Container != (runtime.ContainerID{}) && a.Container != c.ID {
		return false
	}
	a.matched++
	nth, times := max(a.Nth, 1), a.Times
	if times == 0 {
		times = 1
	}
	return a.matched >= nth && (times < 0 || a.matched < nth+times)
}

// strike does what the call's faults of one point do. The call goes on with an
// error of nil.
func (f *Faulty) strike(u *underWay, when Point) error {
	for _, fault := range u.faults {
		if fault.When != when {
			continue
		}
		if fault.Do != nil {
			fault.Do(f.known(u))
		}
		if err := hold(u.ctx, fault.Hold); err != nil {
			return err
		}
		if fault.Cancel {
			u.cancel()
			if when == After {
				return fmt.Errorf("runtimetest: %s: cancelled by a fault: %w", u.call.Op, context.Canceled)
			}
		}
		if fault.Crash {
			f.end()
			return ErrCrashed
		}
		if fault.Err != nil {
			return fault.Err
		}
	}
	return nil
}

func hold(ctx context.Context, until <-chan struct{}) error {
	if until == nil {
		return nil
	}
	select {
	case <-until:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("runtimetest: held by a fault: %w", ctx.Err())
	}
}
