// Package chaos_test kills what there is, at random, and lets the independent
// checker say whether anything was lost or done twice: two placers, four
// workers and a NATS server, each a process of its own, on real containerd. Nodes
// are drained, and undrained, meanwhile.
//
// What really happened to containers is read from containerd's own events,
// never from what shunt says of itself. How every run went is written to a
// history, which the checker reads (package checker); when the test fails, the
// history and the logs of all processes are kept, and the test says where.
//
// "make test-chaos" runs it. These variables change it:
//
//	SHUNT_CHAOS_JOBS   how many jobs (default 60; 300 for the full run)
//	SHUNT_CHAOS_FOR    for how long they are submitted and things are killed (default 40s)
//	SHUNT_CHAOS_SEED   of what is killed and when (default 1)
//	SHUNT_CHAOS_LONG   the share of killed workers, in percent, that stay away
//	                   for longer than their time-to-live (default 25)
package chaos_test
