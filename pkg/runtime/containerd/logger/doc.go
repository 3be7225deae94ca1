// Package logger keeps what a container writes, in files that outlive the
// container, the worker and containerd.
//
// containerd's shim starts one logger for each task (its `binary://` scheme)
// and gives it the read ends of the container's stdout and stderr. Main is that
// program: it copies both into the log's directory until they end. Because it
// is the shim's child and not the worker's, a container never blocks on output
// that nobody reads, whoever else dies.
//
// A log is a directory:
//
//	settings.json   what the logger is told, written before it starts
//	lock            held (flock) by the logger while it lives; holds its pid
//	current.log     records, oldest first
//	previous.log    the file before current.log; together they bound the size
//	next.log        a current.log that is being made
//
// A record is one line in the format that Kubernetes' container runtimes write,
// so that any collector reads it:
//
//	2026-01-02T15:04:05.000000000Z stdout F a whole line, its newline cut off
//	2026-01-02T15:04:05.000000000Z stderr P a part that its program has not ended
//
// Bytes are kept as they were written, with nothing escaped. Lines longer than
// MaxPart are split into parts. A line shows up in the file as soon as it is
// whole; a part that waits for its end shows up with it, or when the log ends.
// A record that was cut by a crash is passed over by readers.
//
// On Windows there is no such program: there the worker itself writes the log,
// through a Sink.
//
// A log has ended when its container has and no logger holds the lock. The shim
// keeps its own ends of the pipes open until the task is deleted, so the logger
// of an ended container cannot see that: Finish tells it. It then copies what
// is still in the pipes and exits.
package logger
