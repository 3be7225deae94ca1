package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Events is what workers and placers tell from now on, until ctx ends: of these
// kinds, or all. Events are told once and not kept: what is told while the
// connection is away, or faster than it is read, is missed.
func (c *Client) Events(ctx context.Context, kinds ...messages.EventKind) iter.Seq2[messages.Event, error] {
	return func(yield func(messages.Event, error) bool) {
		if len(kinds) == 0 {
			kinds = []messages.EventKind{messages.Any}
		}
		subjects := make([]string, len(kinds))
		for i, kind := range kinds {
			subjects[i] = c.root.Event(messages.Any, kind)
		}
		heard, stop, err := c.listen(subjects...)
		if err != nil {
			yield(messages.Event{}, err)
			return
		}
		defer stop()
		for {
			select {
			case m := <-heard:
				if e, ok := readEvent(m); ok && !yield(e, nil) {
					return
				}
			case <-ctx.Done():
				yield(messages.Event{}, fmt.Errorf("events: %w", context.Cause(ctx)))
				return
			}
		}
	}
}

// readEvent reads an event; one that cannot be read, by a stranger or of a later
// version, is passed over.
func readEvent(m *nats.Msg) (messages.Event, bool) {
	var e messages.Event
	err := json.Unmarshal(m.Data, &e)
	return e, err == nil && e.V == messages.Version
}
