package worker

import (
	"context"
	"slices"
	"sync"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// mostUnsent is how many events may wait for one who listens.
const mostUnsent = 256

// listeners are those who asked for this worker's events.
type listeners struct {
	mu  sync.Mutex
	all map[*listener]struct{}
}

// listener is one of them. Its channel is closed when it could not keep up.
type listener struct {
	kinds  []messages.EventKind // none: all
	events chan messages.Event
}

func (l *listeners) add(kinds []messages.EventKind) *listener {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = map[*listener]struct{}{}
	}
	n := &listener{kinds: kinds, events: make(chan messages.Event, mostUnsent)}
	l.all[n] = struct{}{}
	return n
}

func (l *listeners) remove(n *listener) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, n)
}

// give gives an event to all who want it, and waits for nobody.
func (l *listeners) give(ev messages.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := range l.all {
		if len(n.kinds) > 0 && !slices.Contains(n.kinds, ev.Kind) {
			continue
		}
		select {
		case n.events <- ev:
		default:
			close(n.events)
			delete(l.all, n)
		}
	}
}

// events streams what this worker tells, until its asker leaves.
func (w *Worker) events(ctx context.Context, f *frames, req messages.EventsRequest) (bus.Header, error) {
	l := w.listeners.add(req.Kinds)
	defer w.listeners.remove(l)
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case ev, ok := <-l.events:
			if !ok {
				return nil, &messages.Error{
					Code: messages.CodeResourceExhausted, Retryable: true,
					Message: "events came faster than they could be sent; some are lost, ask again for those that come",
				}
			}
			if err := f.json(ctx, ev); err != nil {
				return nil, err
			}
		}
	}
}
