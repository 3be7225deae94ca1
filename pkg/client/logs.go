package client

import (
	"context"
	"errors"
	"io"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Frame is a piece of a container's output.
type Frame struct {
	Stream string // stdout | stderr
	Data   []byte
	At     time.Time // when the first of it was written, if the worker says so
}

// Logs is the output of a container, or of a job's container, on the node. The
// sequence ends with the answer, with ctx, or when the caller stops reading; an
// error comes last. One that follows outlives the connection and the worker: what
// was missed meanwhile is asked for, and nothing comes twice.
func (n *Node) Logs(ctx context.Context, req messages.LogsRequest) iter.Seq2[Frame, error] {
	req.V = messages.Version
	return func(yield func(Frame, error) bool) {
		l := &logs{node: n, req: req, began: time.Now()}
		for {
			again, err := l.read(ctx, yield)
			if !again {
				return
			}
			if err != nil {
				if !req.Follow || !l.resumes(err) || ctx.Err() != nil {
					yield(Frame{}, err)
					return
				}
				if err := l.away(ctx); err != nil {
					yield(Frame{}, err)
					return
				}
			}
		}
	}
}

// CopyLogs is Logs, written to where each stream belongs.
func (n *Node) CopyLogs(ctx context.Context, req messages.LogsRequest, stdout, stderr io.Writer) error {
	for frame, err := range n.Logs(ctx, req) {
		if err != nil {
			return err
		}
		w := stdout
		if frame.Stream == streamStderr {
			w = stderr
		}
		if _, err := w.Write(frame.Data); err != nil {
			return err
		}
	}
	return nil
}

const streamStderr = "stderr"

// LogReader is Logs as one stream of bytes, both streams in the order in which
// they were written. It must be closed, and is for one goroutine.
func (n *Node) LogReader(ctx context.Context, req messages.LogsRequest) io.ReadCloser {
	next, stop := iter.Pull2(n.Logs(ctx, req))
	return &logReader{next: next, stop: stop}
}

type logReader struct {
	next func() (Frame, error, bool)
	stop func()
	rest []byte
	err  error
}

func (r *logReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 && r.err == nil {
		frame, err, ok := r.next()
		switch {
		case !ok:
			r.err = io.EOF
		case err != nil:
			r.err = err
		default:
			r.rest = frame.Data
		}
	}
	if len(r.rest) == 0 {
		return 0, r.err
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *logReader) Close() error {
	r.stop()
	r.rest, r.err = nil, io.ErrClosedPipe
	return nil
}

// logs is how far a reading of logs has come, over several answers.
type logs struct {
	node  *Node
	req   messages.LogsRequest
	began time.Time

	resuming
	last time.Time // when the newest that was given was written
	had  int       // how many bytes written at that instant were given
	skip int       // how many of them are still to come again
}

// read reads one answer. It tells whether there is more to do: to report err, or
// to ask again if that is nil.
func (l *logs) read(ctx context.Context, yield func(Frame, error) bool) (again bool, err error) {
	c := l.node.c
	if l.req.Follow { // what came while the connection was away is lost
		var stop func()
		ctx, stop = c.whileConnected(ctx)
		defer stop()
	}
	a, err := c.stream(c.root.NodeVerb(l.node.name, messages.VerbLogs), l.resumed())
	if err != nil {
		return true, err
	}
	defer a.stop()
	for {
		m, _, err := a.frame(ctx)
		l.heard(a)
		switch {
		case errors.Is(err, errReconnected):
			return true, nil
		case err != nil:
			return true, err
		case m == nil:
			return false, nil
		}
		if f, ok := l.take(m); ok && !yield(f, nil) {
			return false, nil
		}
	}
}

// resumed is the request for what has not been given yet.
func (l *logs) resumed() messages.LogsRequest {
	req := l.req
	switch {
	case !l.last.IsZero():
		req.Tail, req.Since, l.skip = nil, l.last, l.had
	case l.answered && req.Tail != nil && *req.Tail == 0:
		req.Tail, req.Since = nil, l.began
	case l.answered:
		req.Tail = nil // there were none
	}
	return req
}

// take is what a frame has that was not given before.
func (l *logs) take(m *nats.Msg) (Frame, bool) {
	f := Frame{Stream: m.Header.Get(messages.HeaderStream), Data: m.Data}
	f.At, _ = time.Parse(time.RFC3339Nano, m.Header.Get(messages.HeaderAt))
	from := f.At
	if from.IsZero() {
		from = time.Now() // a worker that does not say; close enough
	}
	until, last := from, len(m.Data) // when its end was written, and how much of it
	if at, err := time.Parse(time.RFC3339Nano, m.Header.Get(messages.HeaderUntil)); err == nil {
		n, err := strconv.Atoi(m.Header.Get(messages.HeaderUntilBytes))
		if err == nil && n > 0 && n <= len(m.Data) {
			until, last = at, n
		}
	}
	skipped := 0
	if from.Equal(l.last) {
		skipped = min(l.skip, len(f.Data))
		l.skip -= skipped
	} else {
		l.skip = 0
	}
	if !until.Equal(l.last) {
		l.last, l.had, l.skip = until, last, 0
	} else {
		l.had += len(f.Data) - skipped
	}
	f.Data = f.Data[skipped:]
	return f, len(f.Data) > 0
}
