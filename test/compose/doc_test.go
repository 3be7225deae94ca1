// Package compose_test breaks a fleet of several hosts and lets the independent
// checker say whether the guarantees held: docker-compose.test.yml brought up
// with Docker, three NATS servers, two placers, three Linux machines and two
// Windows-shaped ones, each with an address of its own.
//
// Machines are killed, cut off and paused, workers and placers killed, a NATS
// server lost and another cut off, while jobs keep coming. Every fault lasts
// until something is seen (the placers call a node lost, so many jobs have
// ended), never for a length of time.
//
// What the checker believes about containers on the Linux machines is what
// containerd itself said there (see package node beside this). A Windows-shaped
// machine only pretends, so nobody but its worker knows what it did: for it the
// history has what the outcomes say.
//
// `make compose-test` runs it. It uses the Docker daemon that is reachable, else
// it starts one of its own, and leaves nothing of either.
package compose_test
