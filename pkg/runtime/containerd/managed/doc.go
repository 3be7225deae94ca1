// Package managed runs and watches a containerd of shunt's own.
//
//	c, err := managed.Start(ctx, managed.Config{StateDir: "/var/lib/shunt", Tools: "/usr/lib/shunt"})
//	rt, err := containerd.New(ctx, containerd.Config{Address: c.Address(), ...})
//
// The daemon is in a session of its own, and outlives the worker that started
// it: Close only stops watching. The next Start with the same state directory
// takes it up again, whoever started it, and knows it by its pid and the time
// at which that process began. While it is watched, a daemon that dies is
// started again, with a growing pause; containers are their shims' children and
// run on meanwhile. Shutdown is for demos and tests: it stops the daemon, and
// what still runs on it runs on without one.
//
// Images and snapshots are below the state directory, which may be deep; what
// must have a short path, because a socket's may not be longer than 107 bytes,
// is in /run/shunt/<hash of the state directory>.
//
// A Containerd is safe for concurrent use. Several may watch one daemon: what
// starts it holds a lock meanwhile.
package managed
