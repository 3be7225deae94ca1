// Package checker reads what happened in a run of a fleet and says whether
// guarantees 1 to 4 held, and of the fifth that no container was killed without
// a reason.
//
// It is independent: of shunt it imports the vocabulary of the wire alone, never
// the code that decides. What counts for it are facts that a harness has seen
// itself (a container's program was started, it ended, a process was killed) and
// messages read from the streams. What a worker or placer thinks of itself is
// held against that.
//
// # The history
//
// A history is a list of events, in a file one JSON object a line, so that a
// harness in any language can write one. Every event has "at" (RFC 3339) and
// "kind"; which other fields a kind has is said at its constant (see Kind).
// Events may come in any order: the checker sorts them by time, and keeps the
// order of those of the same time. Instants of different sources may be apart
// by Config.Skew.
//
//	{"at":"…","kind":"submitted","job":"a","body":{"v":1,"id":"a","op":"run", …}}
//	{"at":"…","kind":"acknowledged","job":"a"}
//	{"at":"…","kind":"started","job":"a","attempt":1,"node":"n1","container":"c7"}
//	{"at":"…","kind":"ended","node":"n1","container":"c7","exit_code":0}
//	{"at":"…","kind":"outcome","outcome":{"v":1,"job":"a","node":"n1", …}}
//	{"at":"…","kind":"last_word","record":{"v":1, …},"sequence":12}
//	{"at":"…","kind":"end","live":[]}
//
// The end of a run is when everything has come to rest: faults are mended, and
// the harness has waited for what it expects. A history without an end, or one
// that contradicts itself, has no verdict: it is reported as rule 0.
//
// # The rules
//
// Rule 1, nothing is lost. An acknowledged job has one last word, and one more
// for each retry of an ended job; the same word may be said again. Or it was
// rejected, or it is live at the end: running where its record says, or waiting
// with a reason. A last word is true: what is said to have completed or failed
// by an exit code did, in a container or an exec that really was; and no
// more lives of a job end cancelled than it was asked to end (with `args.replace`
// the harness says so of all the jobs that have the name).
//
// Rule 2, one attempt is current. Containers of two attempts run at once only
// while the older one is being fenced: its node was away (killed, paused, cut
// off) at some time before the newer was started, or is draining and the job is
// a service; or the job was given directly to several nodes. And such an old
// container, or one whose job has ended, is gone before its node could be heard
// for longer than Config.Grace without a break. A job with `on_partition: stop`
// is never in two containers at once, unless it was given to several nodes. At the
// end no two jobs run under one name, unless one of them is taking it over.
//
// Rule 3, a repeat has no second effect. An attempt starts one container, once,
// and again only as its restart policy says, or as often as somebody asked for
// what may start it; an exec is carried out once. A task that is not idempotent is started once in
// all, unless its policy (`on_node_loss: reschedule`, `retry_exit`) or a retry
// says otherwise; its container counts once, however often it was started again
// where it is. A start that its node could not tell of before it went away
// is not counted, since placers cannot know of it; but of what a node was sent
// before it went away, it starts at most one task when others have started it since. A task is started no more often than `max_attempts`. Nothing
// is started after the last word, or on a node that has confirmed its revoke.
//
// Rule 4, losing the bus is not losing the fleet. No container is killed while
// the bus is away, no job is taken from a node that was never away itself, and
// how an attempt ended is heard in the end: an outcome for every container that
// ended, from every node that is there at the end.
//
// Rule 5, containers survive the worker: none ends by a signal for which
// nobody has asked.
package checker
