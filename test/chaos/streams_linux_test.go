package chaos_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/checker"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// tail reads a stream by its sequences as it grows, whatever happens to the
// server meanwhile.
type tail struct {
	f      *fleet
	stream string
	take   func(m *jetstream.RawStreamMsg) error

	mu   sync.Mutex
	next uint64
	err  error
}

// read takes what is new, and gives up at the first trouble; what was not read
// is new the next time.
func (t *tail) read(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	stream, err := t.f.js.Stream(ctx, t.stream)
	if err != nil {
		return err
	}
	for last := stream.CachedInfo().State.LastSeq; t.next <= last; t.next++ {
		m, err := stream.GetMsg(ctx, t.next)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // another one of its subject has taken its place
		}
		if err != nil {
			return err
		}
		if err := t.take(m); err != nil {
			t.err = fmt.Errorf("%s, sequence %d: %w", t.stream, t.next, err)
		}
	}
	return t.err
}

// words are the last words so far.
type words struct {
	mu     sync.Mutex
	states map[string]messages.State
}

func (w *words) of(job string) messages.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.states[job]
}

// follow reads the outcomes and the last words into the history until ctx ends.
func (f *fleet) follow(ctx context.Context) (_ *words, tails []*tail) {
	w := &words{states: map[string]messages.State{}}
	outcomes := &tail{f: f, stream: "SHUNT_OUTCOMES", next: 1, take: func(m *jetstream.RawStreamMsg) error {
		var o messages.Outcome
		err := json.Unmarshal(m.Data, &o)
		f.recorder.Add(checker.Event{At: m.Time, Kind: checker.OutcomeSaid, Outcome: &o, Sequence: m.Sequence})
		return err
	}}
	done := &tail{f: f, stream: "SHUNT_DONE", next: 1, take: func(m *jetstream.RawStreamMsg) error {
		var r messages.Record
		err := json.Unmarshal(m.Data, &r)
		f.recorder.Add(checker.Event{At: m.Time, Kind: checker.LastWord, Record: &r, Sequence: m.Sequence})
		w.mu.Lock()
		defer w.mu.Unlock()
		w.states[r.Job.ID] = r.State
		return err
	}}
	tails = []*tail{outcomes, done}
	go func() {
		again := time.NewTicker(50 * time.Millisecond)
		defer again.Stop()
		for {
			for _, t := range tails {
				_ = t.read(ctx) // the server is away now and then; the last reading must succeed
			}
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
		}
	}()
	return w, tails
}

// live are the records in the bucket of live jobs.
func (f *fleet) live(ctx context.Context) ([]messages.Record, error) {
	bucket, err := f.js.KeyValue(ctx, "SHUNT_JOBS")
	if err != nil {
		return nil, err
	}
	keys, err := bucket.Keys(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, err
	}
	records := []messages.Record{}
	for _, key := range keys {
		entry, err := bucket.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var r messages.Record
		if err := json.Unmarshal(entry.Value(), &r); err != nil {
			return nil, fmt.Errorf("record %s: %w", key, err)
		}
		records = append(records, r)
	}
	return records, nil
}
