// Package runtime is the port through which a node runs containers, the errors
// that cross it, and Composite, which is a Runtime made of Runtimes.
//
// A Runtime is a few small roles composed into one: Images, Lifecycle,
// Inspector, Runner and Files. Code that needs one role asks for that role
// alone. What a runtime cannot do it says with an error of class
// NotImplemented, never with an empty answer; adapters embed Unimplemented and
// override what they can.
//
// Every method is safe for concurrent use. Every method honours its context:
// when it is cancelled the call returns soon with an error that wraps the
// context's. Calls on one container may come at the same time from several
// goroutines; a runtime serialises them where it must. A container outlives the
// process that made it, where the runtime can promise that, and is found again
// by List from the runtime's own labels.
//
// Errors are of the classes of github.com/containerd/errdefs, so that callers
// ask errdefs.IsNotFound(err) and no adapter's type leaks. A RouteToPeerError
// is not a failure but a verdict: this node cannot run that image, a peer may.
//
// Adapters live below this package (containerd, memory, remote) and are
// strangers to each other; runtimetest holds all of them to the same behaviour.
package runtime
