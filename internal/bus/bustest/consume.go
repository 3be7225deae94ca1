package bustest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// soon is an AckWait that a test can wait for.
const soon = 500 * time.Millisecond

func consumeAck(t *testing.T, f *fixture) {
	b := f.laid()
	seq := f.append(b, "log.before", "before")
	got, sub := f.consume(b, bus.Consumer{Stream: "LOG", Name: "reader"})
	d := next(t, got)
	if body(d) != "before" || d.Sequence() != seq || d.Message().Subject != "log.before" || d.Message().Reply != "" {
		t.Fatalf("got %+v at %d", d.Message(), d.Sequence())
	}
	must(t, d.Ack(f.ctx()))
	must(t, d.Ack(f.ctx())) // once more changes nothing
	f.append(b, "log.after", "after")
	d = next(t, got)
	must(t, d.Ack(f.ctx()))
	must(t, sub.Stop(f.ctx()))
	// The consumer goes on where it was.
	f.append(b, "log.later", "later")
	got, _ = f.consume(b, bus.Consumer{Stream: "LOG", Name: "reader"})
	wantTexts(t, []string{body(next(t, got))}, "later")
	// Another name begins at the beginning.
	got, _ = f.consume(b, bus.Consumer{Stream: "LOG", Name: "other"})
	wantTexts(t, []string{body(next(t, got)), body(next(t, got))}, "before", "after")
}

func consumeFilters(t *testing.T, f *fixture) {
	b := f.laid()
	for _, subject := range []string{"log.a.1", "log.b.1", "log.c.1", "log.a.2"} {
		f.append(b, subject, subject)
	}
	got, _ := f.consume(b, bus.Consumer{Stream: "LOG", Name: "reader", Filters: []string{"log.a.*", "log.c.>"}})
	wantTexts(t, []string{body(next(t, got)), body(next(t, got)), body(next(t, got))}, "log.a.1", "log.c.1", "log.a.2")
}

func consumeAckWait(t *testing.T, f *fixture) {
	b := f.laid()
	f.append(b, "log.x", "1")
	got, _ := f.consume(b, bus.Consumer{Stream: "LOG", Name: "reader", AckWait: soon})
	first := next(t, got)
	again := next(t, got)
	if again.Sequence() != first.Sequence() || body(again) != "1" {
		t.Fatalf("got %q at %d, want the first again", body(again), again.Sequence())
	}
	must(t, first.Ack(f.ctx())) // of the first delivery: whoever has it may
	f.append(b, "log.x", "2")
	for d := next(t, got); ; d = next(t, got) { // what was on its way may come still
		if body(d) == "2" {
			break
		}
	}
}

func consumeLater(t *testing.T, f *fixture) {
	b := f.laid()
	f.append(b, "log.x", "1", "2")
	got, _ := f.consume(b, bus.Consumer{Stream: "LOG", Name: "reader"})
	one, two := next(t, got), next(t, got)
	must(t, one.Later(time.Second))
	must(t, two.Later(0))
	wantTexts(t, []string{body(next(t, got)), body(next(t, got))}, "2", "1")
}

// consumeExtend keeps one of two messages by extending it, until the other has
// come again twice.
func consumeExtend(t *testing.T, f *fixture) {
	b := f.laid()
	f.append(b, "log.x", "kept", "not kept")
	got, _ := f.consume(b, bus.Consumer{Stream: "LOG", Name: "reader", AckWait: 2 * soon})
	kept := next(t, got)
	next(t, got)
	tick := time.NewTicker(soon / 10)
	defer tick.Stop()
	for again := 0; again < 2; {
		select {
		case d := <-got:
			if body(d) == "kept" {
				t.Fatal("the extended message came again")
			}
			again++
		case <-tick.C:
			must(t, kept.Extend())
		case <-f.ctx().Done():
			t.Fatal("the other message did not come again")
		}
	}
	must(t, kept.Ack(f.ctx()))
}

func consumeShared(t *testing.T, f *fixture) {
	b := f.laid()
	type taken struct {
		by  string
		seq uint64
	}
	const n = 200
	all := make(chan taken, 2*n)
	for _, name := range []string{"first", "second"} {
		conn := f.bus()
		_, err := conn.Consume(f.ctx(), bus.Consumer{Stream: "WORK", Name: "workers", MaxOpen: 20}, func(d bus.Delivery) {
			if err := d.Ack(f.ctx()); err != nil {
				t.Errorf("Ack: %v", err)
			}
			all <- taken{name, d.Sequence()}
		})
		must(t, err)
	}
	for i := range n {
		f.append(b, "work.x", fmt.Sprint(i))
	}
	by, seqs := map[string]int{}, map[uint64]bool{}
	for range n {
		m := next(t, all)
		by[m.by]++
		if seqs[m.seq] {
			t.Fatalf("sequence %d was taken twice", m.seq)
		}
		seqs[m.seq] = true
	}
	if by["first"] == 0 || by["second"] == 0 {
		t.Fatalf("taken by %v, want both to take part", by)
	}
}

func consumeMaxOpen(t *testing.T, f *fixture) {
	b := f.laid()
	f.append(b, "log.x", "1", "2", "3", "4")
	got, _ := f.consume(b, bus.Consumer{Stream: "LOG", Name: "reader", MaxOpen: 2})
	one, two := next(t, got), next(t, got)
	must(t, two.Ack(f.ctx()))
	wantTexts(t, []string{body(next(t, got))}, "3")
	// Only now may the fourth come: it would have come before "4" was let in.
	if len(got) > 0 {
		t.Fatalf("%q came while two were open", body(<-got))
	}
	must(t, one.Ack(f.ctx()))
	wantTexts(t, []string{body(next(t, got))}, "4")
}

// consumeStop stops a consumer whose handler is busy with the first of many:
// another has the rest at once, long before their AckWait.
func consumeStop(t *testing.T, f *fixture) {
	b, leaving := f.laid(), f.bus()
	const n = 50
	for i := range n {
		f.append(b, "work.x", fmt.Sprint(i))
	}
	begun, release := make(chan bus.Delivery, n), make(chan struct{})
	of := bus.Consumer{Stream: "WORK", Name: "workers", AckWait: time.Hour}
	sub, err := leaving.Consume(f.ctx(), of, func(d bus.Delivery) {
		begun <- d
		<-release
		if err := d.Ack(f.ctx()); err != nil {
			t.Errorf("Ack: %v", err)
		}
	})
	must(t, err)
	first := next(t, begun)
	got, _ := f.consume(b, of)
	impatient, cancel := context.WithCancel(f.ctx())
	cancel()
	wantErr(t, sub.Stop(impatient), context.Canceled)
	close(release)
	must(t, sub.Stop(f.ctx()))
	if len(begun) > 0 {
		t.Fatalf("%d handlers started after Stop", len(begun))
	}
	seen := map[uint64]bool{first.Sequence(): true}
	for len(seen) < n {
		seen[next(t, got).Sequence()] = true
	}
}

func consumeNowhere(t *testing.T, f *fixture) {
	b := f.laid()
	_, err := b.Consume(f.ctx(), bus.Consumer{Stream: "NONE", Name: "reader"}, func(bus.Delivery) {})
	wantErr(t, err, bus.ErrNotFound, "NONE", "reader")
	if _, err := b.Consume(f.ctx(), bus.Consumer{Stream: "LOG"}, func(bus.Delivery) {}); err == nil {
		t.Fatal("a consumer without a name is no error")
	}
}

func workQueue(t *testing.T, f *fixture) {
	b := f.laid()
	f.append(b, "work.x", "1")
	got, _ := f.consume(b, bus.Consumer{Stream: "WORK", Name: "workers"})
	d := next(t, got)
	_ = value(b.Last(f.ctx(), "WORK", "work.x"))(t)
	must(t, d.Ack(f.ctx()))
	eventually(t, "what is done with is gone", func() bool { return f.isGone(b, "WORK", "work.x") })
	_, err := b.Last(f.ctx(), "WORK", "work.x")
	wantErr(t, err, bus.ErrNotFound, "work.x")
	if _, err := b.Consume(f.ctx(), bus.Consumer{Stream: "WORK", Name: "rivals"}, func(bus.Delivery) {}); err == nil {
		t.Fatal("two names take the same messages of a work queue, which is no error")
	}
}
