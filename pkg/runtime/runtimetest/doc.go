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
// output. An operation that is neither in Lacks nor in any case fails the
// suite, so that the port cannot grow unseen.
//
// Beyond the words of the port, the suite settles what they leave open:
//
//   - Wait and WaitOutcome(not_running) of a container that never ran are
//     FailedPrecondition, since there is no exit to tell; next_exit waits for
//     its first.
//   - LogOptions.Since includes the entries of that very instant.
//   - Logs with Follow of a container that is not started yet wait for it.
//   - Exec, Kill and Pause in a container that does not run are
//     FailedPrecondition.
//   - A reference that RemoveImage or TagImage does not know is NotFound, as is
//     a container that does not exist, for every operation that takes one.
//
// Inject wraps a Runtime so that calls fail, wait, are cancelled or crash
// before or after their effect; what it wraps it also records. Tests and
// simulations use both.
package runtimetest
