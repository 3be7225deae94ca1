// Package containerd is the Runtime that runs containers on containerd (v2; v1.7
// has all that is used): Linux containers with runc, and on Windows those of
// Windows with runhcs. Both have one lifecycle; what only one system has is in
// files of its name.
//
//	rt, err := containerd.New(ctx, containerd.Config{
//		Address:    "/run/containerd/containerd.sock",
//		StateDir:   "/var/lib/shunt",
//		LoggerPath: "/usr/local/bin/worker",
//	})
//	defer rt.Close()
//
// Nothing that matters lives in this process. Owner, image and spec are in the
// container's record, the output is in files that a logger of its own keeps
// (package logger), and the exit status stays with the container's shim until
// the container is removed or started again. So a Runtime that is made anew
// over the same containerd and state directory knows every container, what it
// wrote, and how it ended, even when that was while nobody watched. When
// containerd itself starts again it sweeps away the shims of programs that have
// ended; how those ended is not known any more.
//
// How an ended container is judged: a code of 128+N, N being a signal from 1
// to 31, is reason "signal", because the shim reports a killed program so; a
// program that itself exits with such a code looks the same. When the kernel
// killed something in the container's cgroup for lack of memory and the
// container failed, the reason is "oom_killed", also where the victim was a
// child. When the shim or the machine went away with the container, the code
// is not known: it is UnknownExit, with reason "runtime_error".
//
// On Windows the worker reads the output itself, so that of a program that ends
// while no worker is there may lack its end; and exit codes are the program's.
//
// Fields of a spec that are not supported are refused by name with
// NotImplemented, never ignored.
//
// A Runtime is safe for concurrent use. Create, Start, Remove, Rename, Pause,
// Unpause and UpdateResources of one container come one after the other; Stop,
// Kill, Wait, Logs and Exec never wait for them. While containerd is away, calls
// fail with Unavailable, those that make or remove after some tries, and those
// that wait or follow go on when it is back. One that does not answer a call
// within Config.CallTimeout counts as away.
package containerd
