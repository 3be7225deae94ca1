package bustest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// until waits for a condition that nothing announces.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	late := time.After(patience)
	for !ok() {
		select {
		case <-late:
			t.Fatalf("not so within %v: %s", patience, what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// cut cuts a connection, and waits until it knows.
func cut(t *testing.T, b Bus) {
	t.Helper()
	b.Cut()
	until(t, "the cut connection knows", func() bool { up, _ := b.Connection(); return !up })
}

// mend mends a connection, and waits until it is heard again.
func mend(t *testing.T, b Bus) {
	t.Helper()
	b.Mend()
	until(t, "the mended connection is up", func() bool { up, _ := b.Connection(); return up })
}

// cutIsUnavailable checks that a connection that is away says so to every call,
// keeps nothing to surprise later, and goes on when it is back.
func cutIsUnavailable(t *testing.T, f *fixture) {
	b, other := f.laid(), f.bus()
	heard := f.listen(other, "log.>")
	k := b.Bucket("KEYS")
	revision := value(k.Create(f.ctx(), "a", []byte("1")))(t)
	_, since := b.Connection()
	cut(t, b)
	wantErr(t, b.Publish(f.ctx(), text("log.x", "lost")), bus.ErrUnavailable, "log.x")
	_, err := b.Append(f.ctx(), text("log.x", "lost"))
	wantErr(t, err, bus.ErrUnavailable, "log.x")
	_, err = b.Request(f.ctx(), text("log.x", "lost"))
	wantErr(t, err, bus.ErrUnavailable, "log.x")
	_, err = k.Get(f.ctx(), "a")
	wantErr(t, err, bus.ErrUnavailable, "KEYS")
	_, err = k.Update(f.ctx(), "a", []byte("2"), revision)
	wantErr(t, err, bus.ErrUnavailable, "KEYS")
	_, err = b.Last(f.ctx(), "LOG", "log.x")
	wantErr(t, err, bus.ErrUnavailable)
	_, err = f.all(b, "LOG", "log.x")
	wantErr(t, err, bus.ErrUnavailable)
	_, err = b.Consume(f.ctx(), bus.Consumer{Stream: "LOG", Name: "reader"}, func(bus.Delivery) {})
	wantErr(t, err, bus.ErrUnavailable)
	mend(t, b)
	if _, again := b.Connection(); !again.After(since) {
		t.Fatalf("connected since %v, before the cut it was %v", again, since)
	}
	f.append(b, "log.x", "first after")
	wantTexts(t, texts(t, heard, 1), "first after")
	_ = value(k.Update(f.ctx(), "a", []byte("2"), revision))(t)
}

// cutHearsNothing checks that what is sent while a listener is away is lost to
// it, and that it hears again by itself.
func cutHearsNothing(t *testing.T, f *fixture) {
	b, other := f.bus(), f.bus()
	heard := f.listen(b, "news")
	f.serve(b, bus.Endpoint{Name: "echo", Subject: "echo", Handler: answer(t, "here")})
	_ = value(other.Request(f.ctx(), text("echo", "")))(t)
	cut(t, b)
	until(t, "nobody answers for the one that is cut off", func() bool {
		ctx, cancel := context.WithTimeout(f.t.Context(), time.Second)
		defer cancel()
		_, err := other.Request(ctx, text("echo", ""))
		return errors.Is(err, bus.ErrNoResponders)
	})
	must(t, other.Publish(f.ctx(), text("news", "while away")))
	mend(t, b)
	must(t, other.Publish(f.ctx(), text("news", "after")))
	wantTexts(t, texts(t, heard, 1), "after")
	if got := value(other.Request(f.ctx(), text("echo", "")))(t); string(got.Data) != "here" {
		t.Fatalf("answered %q", got.Data)
	}
}

// cutLosesTheAnswer cuts an asker while it waits: it must not be told that
// nobody heard, since somebody did.
func cutLosesTheAnswer(t *testing.T, f *fixture) {
	b, other := f.bus(), f.bus()
	asked := make(chan bus.Request, 1)
	f.serve(other, bus.Endpoint{Name: "slow", Subject: "slow", Handler: func(r bus.Request) { asked <- r }})
	ctx, cancel := context.WithCancel(f.ctx())
	ended := make(chan error, 1)
	go func() {
		_, err := b.Request(ctx, text("slow", ""))
		ended <- err
	}()
	r := next(t, asked)
	cut(t, b)
	must(t, r.Respond(bus.Message{Data: []byte("lost")}))
	mend(t, b)
	cancel()
	err := next(t, ended)
	if err == nil || errors.Is(err, bus.ErrNoResponders) {
		t.Fatalf("the asker whose answer was lost got %v", err)
	}
}

// cutGivesToOthers cuts the connection of a consumer that has a message: it can
// not acknowledge it, and another gets it after its AckWait.
func cutGivesToOthers(t *testing.T, f *fixture) {
	b, other := f.laid(), f.bus()
	of := bus.Consumer{Stream: "WORK", Name: "workers", AckWait: soon}
	f.append(other, "work.x", "1")
	got, _ := f.consume(b, of)
	held := next(t, got)
	cut(t, b)
	wantErr(t, held.Ack(f.ctx()), bus.ErrUnavailable, "work.x")
	taken, _ := f.consume(other, of)
	d := next(t, taken)
	if d.Sequence() != held.Sequence() {
		t.Fatalf("got the message at %d, the other had %d", d.Sequence(), held.Sequence())
	}
	must(t, d.Ack(f.ctx()))
	eventually(t, "what is done with is gone", func() bool { return f.isGone(other, "WORK", "work.x") })
	mend(t, b)
}

func cutConsumerGoesOn(t *testing.T, f *fixture) {
	b, other := f.laid(), f.bus()
	got, _ := f.consume(b, bus.Consumer{Stream: "WORK", Name: "workers"})
	f.append(other, "work.x", "before")
	d := next(t, got)
	must(t, d.Ack(f.ctx()))
	cut(t, b)
	f.append(other, "work.x", "while away")
	mend(t, b)
	f.append(other, "work.x", "after")
	for _, want := range []string{"while away", "after"} {
		d := next(t, got)
		wantTexts(t, []string{body(d)}, want)
		must(t, d.Ack(f.ctx()))
	}
}

// cutWatch checks that a watch that was away gives all there is again, and what
// was deleted meanwhile.
func cutWatch(t *testing.T, f *fixture) {
	b, k := f.laid(), f.bus().Bucket("KEYS")
	_ = value(k.Create(f.ctx(), "stays", []byte("1")))(t)
	changed := value(k.Create(f.ctx(), "changes", []byte("1")))(t)
	gone := value(k.Create(f.ctx(), "goes", []byte("1")))(t)
	changes, _ := f.watch(f.ctx(), b.Bucket("KEYS"))
	wantTexts(t, shown(t, changes, 4), "stays=1", "changes=1", "goes=1", "current")
	cut(t, b)
	must(t, k.Delete(f.ctx(), "goes", gone))
	_ = value(k.Update(f.ctx(), "changes", []byte("2"), changed))(t)
	_ = value(k.Create(f.ctx(), "new", []byte("1")))(t)
	mend(t, b)
	again := shown(t, changes, 5)
	if again[4] != "current" {
		t.Fatalf("got %q, want the end of what there is at last", again)
	}
	slices.Sort(again)
	wantTexts(t, again, "-goes", "changes=2", "current", "new=1", "stays=1")
	_ = value(k.Create(f.ctx(), "goes", []byte("2")))(t)
	wantTexts(t, shown(t, changes, 1), "goes=2")
}
