// Package runtimetest holds every Runtime to the same behaviour, and breaks
// them on purpose.
//
// Run is the conformance suite. An adapter's test calls it once:
//
//	func TestConformance(t *testing.T) {
//		runtimetest.Run(t, runtimetest.Config{
//			New:          func(t *testing.T) runtime.Runtime { return newRuntime(t) },
//			Image:        func(t *testing.T) string { return "127.0.0.1:5000/toybox:1" },
//			MissingImage: "127.0.0.1:5000/nothing:1",
//			Lacks:        []string{"Commit", "Export"},
//		})
//	}
//
// What a runtime cannot do it must say: an operation in Lacks is asserted to
// answer NotImplemented, and the cases that need it are listed in the test's
// output. An operation that is in no table of the suite fails it, with what to
// write, so that the port cannot grow unseen. There are three tables:
//
//   - calls: one call of each operation, with arguments that are all right.
//   - matrix: what each call on a container answers when that is created,
//     running, paused, exited or absent, and where it leaves it. From this follow
//     the cases in_<place>… (the call with a cancelled context, the call, the call
//     again), in_<place>_<call>_cut_off (given up half-way, then made again) and
//     at_once_… (several callers at the same time, whose answers some order of
//     their calls has to explain).
//   - mistakes: each argument that can be wrong, and the class of the refusal.
//
// What needs programs beyond those of every image, or a machine that ends a
// program for lack of memory, runs where Config says that there are such.
//
// At the end no goroutine of a Runtime may be left.
//
// Beyond the words of the port, the suite settles what they leave open:
//
//   - Wait and WaitOutcome(not_running) of a container that never ran are
//     FailedPrecondition, since there is no exit to tell; next_exit waits for
//     its first.
//   - The events of a program have exactly one end: its exit, or an error, also
//     when its container ends under it, its caller goes away, or it cannot be
//     started. A reader that does not read holds the program up.
//   - LogOptions.Tail counts the lines that Since leaves. The log is whole as soon
//     as a Wait has returned, and stays readable for some time after a Remove.
//   - LogOptions.Since includes the entries of that very instant.
//   - Logs with Follow of a container that is not started yet wait for it.
//   - Exec, Kill and Pause in a container that does not run are
//     FailedPrecondition. So is Exec in a paused one, which Stop, Kill and a
//     forced Remove end all the same.
//   - A Start that was given up may leave the container PhaseFailed, as any start
//     that failed; the next one tries again.
//   - A mistake in the arguments is InvalidArgument, a container that does not
//     exist NotFound; which of the two is told when both hold is left open.
//   - A reference that RemoveImage or TagImage does not know is NotFound, as is
//     a container that does not exist, for every operation that takes one.
//
// Inject wraps a Runtime so that calls fail, wait, are cancelled or crash
// before or after their effect; what it wraps it also records. Tests and
// simulations use both.
package runtimetest
