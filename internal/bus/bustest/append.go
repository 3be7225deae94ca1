package bustest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func appendAndLast(t *testing.T, f *fixture) {
	b := f.laid()
	heard := f.listen(b, "log.>")
	_, err := b.Last(f.ctx(), "LOG", "log.a")
	wantErr(t, err, bus.ErrNotFound, "log.a")
	first := value(b.Append(f.ctx(), bus.Message{Subject: "log.a", Header: bus.Header{"K": "v"}, Data: []byte("1")}))(t)
	second := f.append(b, "log.a.b", "2")
	if first == 0 || second <= first {
		t.Fatalf("sequences %d and %d do not rise", first, second)
	}
	wantTexts(t, texts(t, heard, 2), "1", "2")
	got := value(b.Last(f.ctx(), "LOG", "log.a"))(t)
	if got.Sequence != first || got.Subject != "log.a" || got.Header["K"] != "v" || string(got.Data) != "1" || got.At.IsZero() {
		t.Fatalf("Last is %+v", got)
	}
	f.append(b, "log.a", "3")
	if got := value(b.Last(f.ctx(), "LOG", "log.a"))(t); string(got.Data) != "3" {
		t.Fatalf("Last is %q", got.Data)
	}
	_, err = b.Last(f.ctx(), "NONE", "log.a")
	wantErr(t, err, bus.ErrNotFound, "NONE")
}

func appendNowhere(t *testing.T, f *fixture) {
	_, err := f.laid().Append(f.ctx(), text("nowhere", ""))
	wantErr(t, err, bus.ErrNotFound, "nowhere", "no stream holds the subject")
}

func appendDuplicate(t *testing.T, f *fixture) {
	b := f.laid()
	m := bus.Message{Subject: "log.dup", Header: bus.Header{messages.HeaderMsgID: "id-1"}, Data: []byte("first")}
	first := value(b.Append(f.ctx(), m))(t)
	m.Data = []byte("again")
	if again := value(b.Append(f.ctx(), m))(t); again != first {
		t.Fatalf("the repeat has sequence %d, the first %d", again, first)
	}
	m.Header = bus.Header{messages.HeaderMsgID: "id-2"}
	if other := value(b.Append(f.ctx(), m))(t); other <= first {
		t.Fatalf("another id has sequence %d, the first %d", other, first)
	}
	got, _ := f.consume(b, bus.Consumer{Stream: "LOG", Name: "reader"})
	wantTexts(t, []string{body(next(t, got)), body(next(t, got))}, "first", "again")
}

func appendExpected(t *testing.T, f *fixture) {
	b := f.laid()
	at := func(seq uint64) (uint64, error) {
		return b.Append(f.ctx(), bus.Message{Subject: "state.x",
			Header: bus.Header{messages.HeaderExpectSeq: strconv.FormatUint(seq, 10)}})
	}
	_, err := at(7)
	wantConflict(t, err, "state.x", 0)
	first := value(at(0))(t)
	_, err = at(0)
	wantConflict(t, err, "state.x", first)
	f.append(b, "state.other", "moves the stream on, not the subject")
	second := value(at(first))(t)
	_, err = at(first)
	wantConflict(t, err, "state.x", second)
	if got := value(b.Last(f.ctx(), "STATE", "state.x"))(t); got.Sequence != second {
		t.Fatalf("Last has sequence %d, want %d", got.Sequence, second)
	}
}

// wantConflict wants an error that tells a subject's last sequence.
func wantConflict(t *testing.T, err error, subject string, last uint64) {
	t.Helper()
	wantErr(t, err, bus.ErrConflict, subject)
	got, ok := errors.AsType[*bus.ConflictError](err)
	if !ok || got.Subject != subject || got.Last != last {
		t.Fatalf("the conflict is %+v in %v, want one on %s at %d", got, err, subject, last)
	}
}

// appendExpectedRace has many connections append at once where only one may.
func appendExpectedRace(t *testing.T, f *fixture) {
	b := f.laid()
	last := f.append(b, "state.race", "before")
	m := text("state.race", "mine")
	m.Header = bus.Header{messages.HeaderExpectSeq: strconv.FormatUint(last, 10)}
	type result struct {
		seq uint64
		err error
	}
	const n = 8
	results := make(chan result, n)
	for range n {
		conn := f.bus()
		go func() {
			seq, err := conn.Append(f.ctx(), m)
			results <- result{seq, err}
		}()
	}
	var won []uint64
	var lost []error
	for range n {
		if r := next(t, results); r.err == nil {
			won = append(won, r.seq)
		} else {
			lost = append(lost, r.err)
		}
	}
	if len(won) != 1 {
		t.Fatalf("%d of %d appended after %d: %v", len(won), n, last, lost)
	}
	for _, err := range lost {
		wantConflict(t, err, "state.race", won[0])
	}
}

// fill appends kilobytes until an error, or until n were appended.
func (f *fixture) fill(ctx context.Context, b bus.Bus, subject string, n int) (appended int, err error) {
	for appended < n {
		m := bus.Message{Subject: subject, Data: make([]byte, 1<<10)}
		if _, err := b.Append(ctx, m); err != nil {
			return appended, err
		}
		appended++
	}
	return appended, nil
}

func appendFull(t *testing.T, f *fixture) {
	b := f.laid()
	n, err := f.fill(f.ctx(), b, "small.x", 100)
	wantErr(t, err, bus.ErrFull, "small.x")
	if n < 32 {
		t.Fatalf("64 KiB are full with %d messages of 1 KiB", n)
	}
	f.append(b, "log.x", "another stream is not full")
}

func appendDiscardOld(t *testing.T, f *fixture) {
	b := f.laid()
	first := f.append(b, "ring.first", "1")
	_ = value(f.fill(f.ctx(), b, "ring.x", 100))(t)
	_, err := b.Last(f.ctx(), "RING", "ring.first")
	wantErr(t, err, bus.ErrNotFound)
	got, _ := f.consume(b, bus.Consumer{Stream: "RING", Name: "reader"})
	if d := next(t, got); d.Sequence() <= first {
		t.Fatalf("the oldest is still there at %d", d.Sequence())
	}
}

func appendPerSubject(t *testing.T, f *fixture) {
	b := f.laid()
	for i := range 3 {
		f.append(b, "state.a", fmt.Sprint("a", i))
		f.append(b, "state.b", fmt.Sprint("b", i))
	}
	got, _ := f.consume(b, bus.Consumer{Stream: "STATE", Name: "reader"})
	wantTexts(t, []string{body(next(t, got)), body(next(t, got))}, "a2", "b2")
}
