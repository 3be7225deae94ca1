package bustest

import (
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// closeFinishes closes a connection while a handler is busy: Close waits for it,
// and what it sends is heard.
func closeFinishes(t *testing.T, f *fixture) {
	b, other := f.laid(), f.bus()
	heard := f.listen(other, "result")
	begun, release := make(chan struct{}), make(chan struct{})
	_, err := b.Consume(f.ctx(), bus.Consumer{Stream: "WORK", Name: "workers"}, func(d bus.Delivery) {
		close(begun)
		<-release
		if err := b.Publish(f.ctx(), text("result", body(d))); err != nil {
			t.Errorf("Publish: %v", err)
		}
		if err := d.Ack(f.ctx()); err != nil {
			t.Errorf("Ack: %v", err)
		}
	})
	must(t, err)
	f.append(other, "work.x", "1")
	next(t, begun)
	closed := make(chan error, 1)
	go func() { closed <- b.Close(f.ctx()) }()
	close(release)
	must(t, next(t, closed))
	wantTexts(t, texts(t, heard, 1), "1")
	eventually(t, "what is done with is gone", func() bool { return f.isGone(other, "WORK", "work.x") })
}

func closedIsUnavailable(t *testing.T, f *fixture) {
	b := f.laid()
	changes, end := f.watch(f.ctx(), b.Bucket("KEYS"))
	wantTexts(t, shown(t, changes, 1), "current")
	must(t, b.Close(f.ctx()))
	must(t, b.Close(f.ctx()))
	wantErr(t, next(t, end), bus.ErrUnavailable, "KEYS")
	wantErr(t, b.Publish(f.ctx(), text("log.x", "")), bus.ErrUnavailable)
	_, err := b.Request(f.ctx(), text("log.x", ""))
	wantErr(t, err, bus.ErrUnavailable)
	_, err = b.Append(f.ctx(), text("log.x", ""))
	wantErr(t, err, bus.ErrUnavailable)
	_, err = b.Subscribe("x", func(bus.Message) {})
	wantErr(t, err, bus.ErrUnavailable)
	_, err = b.Serve(bus.Service{Name: "s", Version: "1.0.0"})
	wantErr(t, err, bus.ErrUnavailable)
	_, err = b.Consume(f.ctx(), bus.Consumer{Stream: "LOG", Name: "reader"}, func(bus.Delivery) {})
	wantErr(t, err, bus.ErrUnavailable)
	_, err = b.Bucket("KEYS").Create(f.ctx(), "a", nil)
	wantErr(t, err, bus.ErrUnavailable)
}

func connection(t *testing.T, f *fixture) {
	b := f.bus()
	connected, since := b.Connection()
	if !connected || since.IsZero() {
		t.Fatalf("connected %v since %v", connected, since)
	}
	must(t, b.Close(f.ctx()))
	connected, until := b.Connection()
	if connected || until.Before(since) {
		t.Fatalf("closed, and connected %v since %v", connected, until)
	}
}
