package bustest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// value is must for calls that return something.
func value[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// wantErr wants an error of one of the port's kinds that says something about
// what was asked for.
func wantErr(t *testing.T, err, kind error, says ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got error %v, want %v", err, kind)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Fatalf("error %q does not mention %q", err, s)
		}
	}
}

// next is what a channel has next.
func next[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing came within %v", patience)
		panic("not reached")
	}
}

// eventually waits until holds does.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("it did not come to this within %v: %s", patience, what)
		}
	}
}

// isGone tells whether a stream has no message on a subject.
func (f *fixture) isGone(b bus.Bus, stream, subject string) bool {
	f.t.Helper()
	_, err := b.Last(f.ctx(), stream, subject)
	if err != nil && !errors.Is(err, bus.ErrNotFound) {
		f.t.Fatal(err)
	}
	return err != nil
}

// texts are the bodies that a channel of messages has next.
func texts(t *testing.T, ch <-chan bus.Message, n int) []string {
	t.Helper()
	var all []string
	for range n {
		all = append(all, string(next(t, ch).Data))
	}
	return all
}

func text(subject, body string) bus.Message {
	return bus.Message{Subject: subject, Data: []byte(body)}
}

func wantTexts(t *testing.T, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
}

// listen subscribes, and puts what is heard into a channel.
func (f *fixture) listen(b bus.Bus, subject string) <-chan bus.Message {
	f.t.Helper()
	heard := make(chan bus.Message, 4096)
	_, err := b.Subscribe(subject, func(m bus.Message) { heard <- m })
	must(f.t, err)
	return heard
}

// consume consumes, and puts the deliveries into a channel.
func (f *fixture) consume(b bus.Bus, c bus.Consumer) (<-chan bus.Delivery, bus.Subscription) {
	f.t.Helper()
	got := make(chan bus.Delivery, 4096)
	sub, err := b.Consume(f.ctx(), c, func(d bus.Delivery) { got <- d })
	must(f.t, err)
	return got, sub
}

// append appends bodies to a subject.
func (f *fixture) append(b bus.Bus, subject string, bodies ...string) (last uint64) {
	f.t.Helper()
	for _, body := range bodies {
		seq, err := b.Append(f.ctx(), text(subject, body))
		must(f.t, err)
		last = seq
	}
	return last
}

func body(d bus.Delivery) string { return string(d.Message().Data) }
