// Package sim runs a whole fleet in one process under virtual time, with faults,
// and says whether the guarantees held.
//
// The workers and placers are the real ones, unchanged. They are given ports
// (see internal/bus, internal/worker/journal, pkg/runtime) over the bus and the
// machines in memory, and between the two stands a life: from a process's start
// to its end, every call of a port goes through it. There a process crashes,
// before a call or after it, at any call there is; there it stands still when it
// is suspended; there the network loses, doubles, delays and cuts off. What a
// process leaves behind when it crashes is what a real one leaves: its journal as
// far as that was synced, its containers, and what was under way on the network.
//
// What really happened is seen by witnesses between the machines and all that
// can go wrong, and by a reader of the streams. When the faults are over and
// everything has come to rest, the history goes to internal/checker, which has
// the last word.
//
// A run is made from its seed. Which call crashes, which message is lost, and
// what the clients ask for is decided by hashing the seed with what it happens
// to (the nth call of that kind by that process), and never by a generator that
// several share; so one thing that goes another way changes nothing for the
// others. What the seed does not decide is the order of goroutines that are ready
// at the same instant, and the jitter of a few pauses: most failures come again
// with their seed, at once or within some tries, and not all. See
// docs/simulation.md.
//
// Under virtual time, whoever waits for a sync.Mutex lets no time pass. A loop
// must therefore not hold one over a call of a port; a run would stand still.
package sim
