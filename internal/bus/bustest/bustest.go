// Package bustest holds every adapter of the bus to the semantics that the port
// promises.
//
// An adapter's test calls Run with a function that starts an empty bus and
// returns how to connect to it:
//
//	func TestConformance(t *testing.T) {
//		bustest.Run(t, func(t *testing.T) func(t *testing.T) bustest.Bus {
//			server := membus.NewServer()
//			return func(t *testing.T) bustest.Bus { return server.Connect(t.Name()) }
//		})
//	}
//
// The suite closes the connections it made. It waits for what should happen, up
// to a patience that only a broken bus uses up, and shows that something did not
// happen by something that comes after it.
package bustest

import (
	"context"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// patience is how long the suite waits before it calls a bus broken.
const patience = time.Minute

// Bus is a connection to the bus under test that can be cut, as a network that
// breaks does, and mended.
type Bus interface {
	bus.Bus
	Cut()
	Mend()
}

// Run runs the suite. start is called once a test.
func Run(t *testing.T, start func(t *testing.T) (connect func(t *testing.T) Bus)) {
	t.Helper()
	for _, test := range suite {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, &fixture{t: t, connect: start(t)})
		})
	}
}

// fixture is an empty bus, and how to reach it.
type fixture struct {
	t       *testing.T
	connect func(*testing.T) Bus
}

// bus is a new connection, closed when the test ends.
func (f *fixture) bus() Bus {
	f.t.Helper()
	b := f.connect(f.t)
	f.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := b.Close(ctx); err != nil {
			f.t.Errorf("Close: %v", err)
		}
	})
	return b
}

// laid is a new connection to a bus that has a layout.
func (f *fixture) laid() Bus {
	f.t.Helper()
	b := f.bus()
	must(f.t, b.Ensure(f.ctx(), layout()))
	return b
}

// ctx ends when patience does.
func (f *fixture) ctx() context.Context {
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	f.t.Cleanup(cancel)
	return ctx
}

// layout is one stream of each kind, and a bucket.
func layout() bus.Layout {
	const mib = 1 << 20
	return bus.Layout{
		Replicas: 1,
		Streams: []bus.Stream{
			{Name: "WORK", Subjects: []string{"work.*"}, WorkQueue: true, DiscardNew: true, MaxBytes: 4 * mib},
			{Name: "LOG", Subjects: []string{"log.>"}, MaxAge: time.Hour, MaxBytes: 4 * mib},
			{Name: "STATE", Subjects: []string{"state.*"}, MaxPerSubject: 1, MaxBytes: 4 * mib},
			{Name: "SMALL", Subjects: []string{"small.*"}, DiscardNew: true, MaxBytes: 64 << 10},
			{Name: "DESK", Subjects: []string{"desk.*"}, WorkQueue: true, DiscardNew: true, MaxBytes: 64 << 10},
			{Name: "RING", Subjects: []string{"ring.*"}, MaxBytes: 64 << 10},
		},
		Buckets: []bus.Store{{Name: "KEYS", MaxBytes: 4 * mib}, {Name: "TIGHT", MaxBytes: 64 << 10}},
	}
}
