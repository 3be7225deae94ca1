// Node is the first process of a machine of the compose fleet: what an init
// system is to a real one.
//
//	node [--name NAME] [--images HOST:PORT] [--containers] PROGRAM ARG ...
//
// It runs the program, starts it again when it dies, and reaps what others
// leave behind (a containerd and its shims outlive their worker by design).
// SIGUSR1 kills the program -9 without taking the machine down; SIGTERM goes to
// the program, and when that has ended the machine does too.
//
// With --images it serves the toybox's images on the machine itself, so that
// cutting the machine off leaves it what it needs to run.
//
// With --containers the machine can run containers: it gets a cgroup tree of
// its own, below the one Docker gave it, so that pausing or limiting it holds
// for its containers as well. And node is the witness: it hears containerd's
// own events and writes each start and end of a container as a line of the
// checker's history to standard output, with the time that containerd gives.
// Nothing else is written there; the program's output goes to standard error.
package main
