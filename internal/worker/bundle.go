package worker

import (
	"bytes"
	"context"
	"iter"
	"strconv"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Lines of output are short, and a reader of some hundred thousand of them would
// be given as many messages as fast as the node can send them: more than the stock
// clients hold, who drop the rest. So lines that are there together go out
// together, as whole lines of one stream.

// linger is how long a line of a followed log waits for others to go with it.
const linger = 5 * time.Millisecond

// bundle is what one frame takes of a log. The zero bundle is empty.
type bundle struct {
	stream      runtime.Stream
	data        []byte
	from, until time.Time // when the first and the last of it were written
	last        int       // how many bytes at its end were written at until
}

// takes tells whether there is room for an entry. One that is too long for any
// frame goes alone.
func (b *bundle) takes(e *runtime.LogEntry) bool {
	return len(b.data) == 0 || b.stream == e.Stream && len(b.data)+len(e.Message) <= messages.MaxFrameSize
}

func (b *bundle) add(e *runtime.LogEntry) {
	if len(b.data) == 0 {
		b.stream, b.from = e.Stream, e.At
	}
	if !e.At.Equal(b.until) {
		b.until, b.last = e.At, 0
	}
	b.data = append(b.data, e.Message...)
	b.last += len(e.Message)
}

// headers say when a frame was written, so that a reader who was cut off can ask
// for the rest.
func (b *bundle) headers() bus.Header {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
	h := bus.Header{messages.HeaderAt: at(b.from)}
	if !b.until.Equal(b.from) {
		h[messages.HeaderUntil], h[messages.HeaderUntilBytes] = at(b.until), strconv.Itoa(b.last)
	}
	return h
}

// logged is an entry of a log, or the error that comes last.
type logged struct {
	entry runtime.LogEntry
	err   error
}

// ahead reads a log ahead of who sends it, until it is over or ctx is.
func (w *Worker) ahead(ctx context.Context, entries iter.Seq2[runtime.LogEntry, error]) <-chan logged {
	ahead := make(chan logged, 16)
	w.work.Go(func() {
		defer close(ahead)
		for entry, err := range entries {
			entry.Message = bytes.Clone(entry.Message) // which the next one may reuse
			select {
			case ahead <- logged{entry, err}:
			case <-ctx.Done():
				return
			}
		}
	})
	return ahead
}

// bundles sends the entries of a log, those of a followed one before long.
func (f *frames) bundles(ctx context.Context, entries <-chan logged, follow bool) error {
	var b bundle
	var waited <-chan time.Time
	send := func() error {
		whole := b
		b, waited = bundle{}, nil
		return f.output(ctx, whole.stream, whole.data, whole.headers())
	}
	for {
		select {
		case l, ok := <-entries:
			if !ok || l.err != nil {
				if err := send(); err != nil {
					return err
				}
				return l.err
			}
			if !b.takes(&l.entry) {
				if err := send(); err != nil {
					return err
				}
			}
			if b.add(&l.entry); follow && waited == nil {
				waited = time.After(linger)
			}
		case <-waited:
			if err := send(); err != nil {
				return err
			}
		case <-ctx.Done(): // nobody may read ahead any more: the worker stops, or the asker has left
			return context.Cause(ctx)
		}
	}
}
