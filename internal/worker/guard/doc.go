// Package guard ends containers whose node's lease runs out while the worker is
// not there to do it.
//
// Loop is the guard itself: it reads the lease's record again and again, and
// stops what is due. Memory runs it in this process, for simulations and tests,
// where it survives the worker they let crash. Process is the real one: a
// process of its own, `worker guard`, which the worker starts in a session of
// its own and which lives on when the worker is killed. The two share a state
// directory:
//
//	lease.json          the record, written by the worker
//	lease.stopped.json  what the guard has ended, written by the guard
//	guard.lock          held by the guard that is awake
//	guard.log           what it says
//
// A guard falls asleep (its process ends) when nothing is left to guard.
package guard
