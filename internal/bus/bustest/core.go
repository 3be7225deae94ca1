package bustest

import (
	"context"
	"fmt"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func wildcards(t *testing.T, f *fixture) {
	from, to := f.bus(), f.bus()
	one, all, exact := f.listen(to, "a.*.c"), f.listen(to, "a.>"), f.listen(to, "a.b")
	for _, subject := range []string{"a", "a.b", "a.b.c", "a.x.c", "a.b.c.d", "b.b.c"} {
		must(t, from.Publish(f.ctx(), text(subject, subject)))
	}
	wantTexts(t, texts(t, one, 2), "a.b.c", "a.x.c")
	wantTexts(t, texts(t, all, 4), "a.b", "a.b.c", "a.x.c", "a.b.c.d")
	wantTexts(t, texts(t, exact, 1), "a.b")
	must(t, from.Publish(f.ctx(), text("a.end.c", "end")))
	must(t, from.Publish(f.ctx(), text("a.b", "end")))
	wantTexts(t, texts(t, one, 1), "end")
	wantTexts(t, texts(t, all, 2), "end", "end")
	wantTexts(t, texts(t, exact, 1), "end")
}

func order(t *testing.T, f *fixture) {
	from, to := f.bus(), f.bus()
	heard := f.listen(to, "order")
	const n = 500
	for i := range n {
		must(t, from.Publish(f.ctx(), text("order", fmt.Sprint(i))))
	}
	for i := range n {
		wantTexts(t, texts(t, heard, 1), fmt.Sprint(i))
	}
}

// copies checks that a message is nobody's but the receiver's.
func copies(t *testing.T, f *fixture) {
	from, to := f.bus(), f.bus()
	first, second := f.listen(to, "copy"), f.listen(to, "copy")
	m := bus.Message{Subject: "copy", Reply: "back", Header: bus.Header{"lower-Case": "1"}, Data: []byte("body")}
	must(t, from.Publish(f.ctx(), m))
	m.Header["lower-Case"], m.Data[0] = "changed", 'x'
	got := next(t, first)
	if got.Subject != "copy" || got.Reply != "back" || got.Header["lower-Case"] != "1" || string(got.Data) != "body" {
		t.Fatalf("got %+v", got)
	}
	got.Header["lower-Case"], got.Data[0] = "changed", 'x'
	if other := next(t, second); other.Header["lower-Case"] != "1" || string(other.Data) != "body" {
		t.Fatalf("another receiver's changes show: %+v", other)
	}
}

func stopSubscription(t *testing.T, f *fixture) {
	b := f.bus()
	stopped := make(chan bus.Message, 10)
	sub, err := b.Subscribe("stop", func(m bus.Message) { stopped <- m })
	must(t, err)
	stays := f.listen(b, "stop")
	must(t, b.Publish(f.ctx(), text("stop", "1")))
	wantTexts(t, texts(t, stopped, 1), "1")
	must(t, sub.Stop(f.ctx()))
	must(t, b.Publish(f.ctx(), text("stop", "2")))
	wantTexts(t, texts(t, stays, 2), "1", "2")
	if len(stopped) > 0 {
		t.Fatalf("heard %q after Stop", string((<-stopped).Data))
	}
	must(t, sub.Stop(f.ctx()))
}

func tooLarge(t *testing.T, f *fixture) {
	b := f.laid()
	m := bus.Message{Subject: "log.large", Data: make([]byte, messages.MaxBusPayload)}
	must(t, b.Publish(f.ctx(), m))
	m.Data = append(m.Data, 0)
	wantErr(t, b.Publish(f.ctx(), m), bus.ErrTooLarge, m.Subject)
	_, err := b.Append(f.ctx(), m)
	wantErr(t, err, bus.ErrTooLarge, m.Subject)
	_, err = b.Request(f.ctx(), m)
	wantErr(t, err, bus.ErrTooLarge, m.Subject)
}

func request(t *testing.T, f *fixture) {
	b, asker := f.bus(), f.bus()
	f.serve(b, bus.Endpoint{Name: "echo", Subject: "echo.*", Handler: func(r bus.Request) {
		m := r.Message()
		if err := r.Respond(bus.Message{Header: bus.Header{"Asked": m.Header["Ask"]}, Data: []byte(m.Subject)}); err != nil {
			t.Errorf("Respond: %v", err)
		}
	}})
	got := value(asker.Request(f.ctx(), bus.Message{Subject: "echo.x", Header: bus.Header{"Ask": "it"}}))(t)
	if string(got.Data) != "echo.x" || got.Header["Asked"] != "it" {
		t.Fatalf("got %+v", got)
	}
}

func noResponders(t *testing.T, f *fixture) {
	_, err := f.bus().Request(f.ctx(), text("nobody", ""))
	wantErr(t, err, bus.ErrNoResponders, "nobody")
}

func requestTimeout(t *testing.T, f *fixture) {
	b := f.bus()
	heard := f.listen(b, "silent")
	ctx, cancel := context.WithCancel(f.ctx())
	ended := make(chan error, 1)
	go func() {
		_, err := b.Request(ctx, text("silent", "?"))
		ended <- err
	}()
	next(t, heard)
	cancel()
	wantErr(t, next(t, ended), context.Canceled, "silent")
}

func probe(t *testing.T, f *fixture) {
	b := f.bus()
	heard := f.listen(b, "somebody")
	gone := make(chan string, 10)
	must(t, b.Probe(f.ctx(), text("somebody", "there?"), func() { gone <- "somebody" }))
	wantTexts(t, texts(t, heard, 1), "there?")
	must(t, b.Probe(f.ctx(), text("nobody", "there?"), func() { gone <- "nobody" }))
	if who := next(t, gone); who != "nobody" {
		t.Fatalf("%s listens, and is said to be gone", who)
	}
}
