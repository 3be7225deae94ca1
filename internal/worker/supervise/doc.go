// Package supervise decides what becomes of a container that has been started:
// when it is checked, when it is started again, what is said of it, and when its
// attempt is over.
//
// It is pure. Next takes how things stand, an event and the time, and returns
// how they stand then and what is to be done; it does no I/O and reads no clock.
// The worker gathers the events, journals the Record when it has changed, and
// does after that what it is told. A worker that is killed leaves the Record;
// the next one goes on from it and from what its runtime holds.
//
// docs/supervision.md is the same in words.
package supervise
