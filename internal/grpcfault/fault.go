package grpcfault

import "fmt"

// Call is one call that a client made: the nth of its method, from 1.
type Call struct {
	Method string // without the package: "Tasks/Create"
	N      int
}

// String is the call as a failure names it: "Tasks/Create#1".
func (c Call) String() string { return fmt.Sprintf("%s#%d", c.Method, c.N) }

// Fault is what happens to a call.
type Fault string

// The faults. "Before" means that the server never hears of the call, "after"
// that it has done what was asked, and that the client does not learn it: the
// first frame of its answer is swallowed.
const (
	None         Fault = ""
	Slow         Fault = "slow"          // the server hears of it Delay later
	RefuseBefore Fault = "refuse-before" // Unavailable
	RefuseAfter  Fault = "refuse-after"
	CutAfter     Fault = "cut-after"   // and all clients' connections break, as when the server dies
	HangBefore   Fault = "hang-before" // no answer until the client gives up
	HangAfter    Fault = "hang-after"
)

// reaches tells whether the server hears of the call.
func (f Fault) reaches() bool {
	return f != RefuseBefore && f != HangBefore
}
