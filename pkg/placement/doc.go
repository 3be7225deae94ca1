// Package placement decides: which node a job goes to, why every other one was
// not chosen, and what becomes of a job when something happens to it.
//
// It is pure. Next takes a record, an event, the peers and the time, and
// returns the record as it should be and the effects that follow from it; it
// does no I/O and reads no clock, so that what a placer does in a year can be
// tested in a second. The shell that calls it (internal/placer) writes the
// record first, by compare-and-set, and performs the effects after. Effects
// follow from the record alone (see Due), so whoever finds a record can perform
// them, and performing one twice does no harm.
//
// Placement is optimistic: it works from heartbeats that may be stale, and the
// node it picks may still say no. That is not an error but an event: the
// refusal and what it taught (the platforms the image really has) stay in the
// record, the attempt rises, and the next best node is asked.
//
// Reading order: filter.go (who could), rank.go (who is best), explain.go (why),
// next.go (what happens to a job), replace.go (what happens to a name).
package placement
