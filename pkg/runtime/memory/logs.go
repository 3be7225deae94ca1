package memory

import (
	"context"
	"fmt"
	"iter"

	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// Logs are the container's output. Those of a container that was removed stay
// readable for a while (Config.KeptLogs). A follower that is too slow for the
// bound (Config.LogBytes) misses what was dropped.
func (r *Runtime) Logs(ctx context.Context, id runtime.ContainerID, opts runtime.LogOptions) iter.Seq2[runtime.LogEntry, error] {
	return func(yield func(runtime.LogEntry, error) bool) {
		reader, err := r.openLog(ctx, id, opts)
		for more := true; more && err == nil; {
			var entries []runtime.LogEntry
			entries, more, err = reader.read(ctx)
			for _, entry := range entries {
				if !yield(entry, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(runtime.LogEntry{}, err)
		}
	}
}

// logReader is a place in a container's output.
type logReader struct {
	r      *Runtime
	c      *container
	follow bool
	next   int // number of the entry to read
	exits  int // how often the container had ended when the reader began
}

func (r *Runtime) openLog(ctx context.Context, id runtime.ContainerID, opts runtime.LogOptions) (*logReader, error) {
	unlock, err := r.enter(ctx, "logs of "+id.String())
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, err := r.m.find(id)
	if grave, ok := r.m.graves[id]; ok && err != nil {
		c, err = grave, nil
	}
	if err != nil {
		return nil, fmt.Errorf("logs: %w", err)
	}
	return &logReader{r: r, c: c, follow: opts.Follow, next: c.log.begin(opts), exits: c.exits}, nil
}

// read is what is there to read; a follower waits for it. When there can be no
// more, more is false.
func (l *logReader) read(ctx context.Context) (entries []runtime.LogEntry, more bool, err error) {
	what := "logs of " + l.c.id.String()
	unlock, err := l.r.enter(ctx, what)
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	if l.follow {
		_, err = l.r.await(ctx, what, &l.c.turn, nil, func() bool { return l.c.log.next() > l.next || l.over() })
	}
	if err != nil {
		return nil, false, err
	}
	entries, l.next = l.c.log.from(l.next)
	return entries, l.follow && len(entries) > 0, nil
}

// over tells whether the run that the reader follows has ended.
func (l *logReader) over() bool {
	return l.c.removed || l.c.exits > l.exits || l.c.process == nil && l.c.exits > 0
}
