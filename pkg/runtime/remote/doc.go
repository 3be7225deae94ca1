// Package remote is a Runtime at the far end of a pipe: the Linux containers of
// a Windows node in WSL2, those of a Mac in a virtual machine, or those of
// another host by ssh. What is at the far end, a delegate, calls Serve over any
// Runtime; the near end is New with a Dialer, such as Command, which starts a
// program and speaks with its standard input and output.
//
//	rt, err := remote.New(remote.Config{Dial: remote.Command(argv, log)})
//	defer rt.Close()
//
// # The pipe
//
// Nothing is written to the far end before it has said hello: a signature, then
// a line of JSON. What comes before that is somebody else's (wsl.exe tells its
// troubles there, in UTF-16), is shown in the log, and does no harm. The
// signature has line ends in it, as PNG's has, so a channel that changes them is
// never taken for one that works. After the hello the pipe is HTTP/2 with gRPC:
// calls share it, a stream that nobody reads holds up nobody else, and pings
// notice a far end that stands still.
//
// Each operation of the port is a method of the one service. A message is a
// line of JSON and, behind it, bytes as they are. JSON, and not protocol buffers,
// because the types of the port are the schema: a field that is added to them is
// carried, and no second copy of them can forget it. Output, files and images
// are the bytes behind it. A string that is not UTF-8 (a file's name can be) is
// mended on the way, as it would be on the bus.
//
// # Calls
//
// A result comes back beside its error, which keeps its text, its class, and the
// *runtime.RouteToPeerError or *messages.Error in it. A call that is cancelled is
// cancelled at the far end as well. One that may change something returns when it
// has ended there, with what it has come to: it may have been done. A far end that
// does not say so is waited for no longer than five seconds.
//
// While the far end is away every call is Unavailable at once, and says why; so
// are those that were under way. It is dialled again, with growing pauses, until
// Close. What it holds is not remembered here: containers are learned anew from
// the far runtime.
//
// A far end that leaves in good order says goodbye, and why. One that loses the
// near end reads the end of its input, ends the calls under way, and leaves by
// itself; so neither outlives the other.
//
// Everything here is safe for concurrent use.
package remote
