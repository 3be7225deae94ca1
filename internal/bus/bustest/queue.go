package bustest

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// workQueueFull checks that the front door refuses when it is full, and lets in
// again when something was done with.
func workQueueFull(t *testing.T, f *fixture) {
	b := f.laid()
	n, err := f.fill(f.ctx(), b, "desk.x", 100)
	wantErr(t, err, bus.ErrFull, "desk.x")
	got, _ := f.consume(b, bus.Consumer{Stream: "DESK", Name: "workers"})
	must(t, next(t, got).Ack(f.ctx()))
	eventually(t, "there is room again where one of "+strconv.Itoa(n)+" messages was acknowledged", func() bool {
		_, err := f.fill(f.ctx(), b, "desk.x", 1)
		return err == nil
	})
	_, err = f.fill(f.ctx(), b, "desk.x", 1)
	wantErr(t, err, bus.ErrFull)
}

// workQueueKnowsWhatItGave repeats a message whose first copy is done with: it
// is recognised, and not given again.
func workQueueKnowsWhatItGave(t *testing.T, f *fixture) {
	b := f.laid()
	m := bus.Message{Subject: "work.x", Header: bus.Header{messages.HeaderMsgID: "id-1"}, Data: []byte("1")}
	first := value(b.Append(f.ctx(), m))(t)
	got, _ := f.consume(b, bus.Consumer{Stream: "WORK", Name: "workers"})
	must(t, next(t, got).Ack(f.ctx()))
	if again := value(f.bus().Append(f.ctx(), m))(t); again != first {
		t.Fatalf("the repeat has sequence %d, the first %d", again, first)
	}
	f.append(b, "work.x", "2")
	wantTexts(t, []string{body(next(t, got))}, "2")
}

// bucketUpdateRace has many connections update the same revision of a key, and
// then one that was deleted and made anew with an older one.
func bucketUpdateRace(t *testing.T, f *fixture) {
	k := f.laid().Bucket("KEYS")
	revision := value(k.Create(f.ctx(), "race", []byte("1")))(t)
	const n = 8
	type result struct {
		revision uint64
		err      error
	}
	results := make(chan result, n)
	for i := range n {
		mine := f.bus().Bucket("KEYS")
		go func() {
			if i%2 == 0 {
				results <- result{err: mine.Delete(f.ctx(), "race", revision)}
				return
			}
			updated, err := mine.Update(f.ctx(), "race", fmt.Append(nil, i), revision)
			results <- result{updated, err}
		}()
	}
	var won []result
	for range n {
		if r := next(t, results); r.err == nil {
			won = append(won, r)
		} else {
			wantErr(t, r.err, bus.ErrConflict, "race")
		}
	}
	if len(won) != 1 {
		t.Fatalf("%d changed the key at revision %d", len(won), revision)
	}
	if won[0].revision != 0 { // updated, not deleted
		must(t, k.Delete(f.ctx(), "race", won[0].revision))
	}
	again := value(k.Create(f.ctx(), "race", []byte("1")))(t)
	_, err := k.Update(f.ctx(), "race", []byte("x"), revision)
	wantErr(t, err, bus.ErrConflict)
	wantErr(t, k.Delete(f.ctx(), "race", revision), bus.ErrConflict)
	f.wantEntry(k, bus.Entry{Key: "race", Value: []byte("1"), Revision: again})
}
