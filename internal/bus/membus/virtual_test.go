package membus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/membus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// virtual runs a test in a bubble, with a bus that has the layout of a fleet.
// The bubble itself fails the test if a goroutine is left behind.
func virtual(t *testing.T, run func(t *testing.T, b bus.Bus)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := membus.NewServer().Connect("test")
		must(t, b.Ensure(t.Context(), bus.NewLayout("shunt", 1, bus.DefaultBudget)))
		run(t, b)
		must(t, b.Close(t.Context()))
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestRedeliveryKeepsTime follows one message through AckWait, Extend and Later
// to the nanosecond.
func TestRedeliveryKeepsTime(t *testing.T) {
	virtual(t, func(t *testing.T, b bus.Bus) {
		start := time.Now()
		got := make(chan bus.Delivery, 10)
		_, err := b.Consume(t.Context(), bus.Consumer{Stream: "SHUNT_INTAKE", Name: "c", AckWait: 10 * time.Second},
			func(d bus.Delivery) { got <- d })
		must(t, err)
		_, err = b.Append(t.Context(), bus.Message{Subject: "shunt.job.x"})
		must(t, err)
		at := func(want time.Duration) bus.Delivery {
			t.Helper()
			d := <-got
			if after := time.Since(start); after != want {
				t.Fatalf("delivered after %v, want %v", after, want)
			}
			return d
		}
		at(0)
		d := at(10 * time.Second)
		time.Sleep(9 * time.Second)
		must(t, d.Extend())
		d = at(29 * time.Second)
		must(t, d.Later(time.Hour))
		d = at(time.Hour + 29*time.Second)
		must(t, d.Ack(t.Context()))
		time.Sleep(24 * time.Hour)
		if len(got) > 0 {
			t.Fatal("an acknowledged message came again")
		}
	})
}

func TestDuplicateWindow(t *testing.T) {
	virtual(t, func(t *testing.T, b bus.Bus) {
		m := bus.Message{Subject: "shunt.outcome.n.x", Header: bus.Header{messages.HeaderMsgID: "id"}}
		seq := func() uint64 {
			t.Helper()
			n, err := b.Append(t.Context(), m)
			must(t, err)
			return n
		}
		first := seq()
		time.Sleep(2*time.Minute - time.Nanosecond)
		if again := seq(); again != first {
			t.Fatalf("within two minutes the repeat has sequence %d, not %d", again, first)
		}
		time.Sleep(time.Nanosecond)
		if again := seq(); again == first {
			t.Fatal("after two minutes the id is still known")
		}
	})
}

func TestMaxAge(t *testing.T) {
	virtual(t, func(t *testing.T, b bus.Bus) {
		_, err := b.Append(t.Context(), bus.Message{Subject: "shunt.done.x"})
		must(t, err)
		time.Sleep(7*24*time.Hour - time.Nanosecond)
		_, err = b.Last(t.Context(), "SHUNT_DONE", "shunt.done.x")
		must(t, err)
		time.Sleep(time.Nanosecond)
		if _, err = b.Last(t.Context(), "SHUNT_DONE", "shunt.done.x"); !errors.Is(err, bus.ErrNotFound) {
			t.Fatalf("after seven days: %v", err)
		}
	})
}

// TestRequestDeadline waits a virtual hour for an answer that does not come.
func TestRequestDeadline(t *testing.T) {
	virtual(t, func(t *testing.T, b bus.Bus) {
		_, err := b.Subscribe("silent", func(bus.Message) {})
		must(t, err)
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err = b.Request(ctx, bus.Message{Subject: "silent"})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Hour {
			t.Fatalf("after %v: %v", time.Since(start), err)
		}
	})
}

// TestManyInABubble has a thousand nodes answer and work at once, and leaves
// nothing behind.
func TestManyInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := membus.NewServer()
		placer := server.Connect("placer")
		must(t, placer.Ensure(t.Context(), bus.NewLayout("shunt", 1, bus.DefaultBudget)))
		const n = 1000
		nodes := make([]*membus.Conn, n)
		for i := range nodes {
			nodes[i] = server.Connect(fmt.Sprint("node-", i))
			_, err := nodes[i].Serve(bus.Service{Name: "shunt-worker", Version: "1.0.0", Endpoints: []bus.Endpoint{
				{Name: "cmd", Subject: fmt.Sprint("shunt.cmd.n", i), Handler: func(r bus.Request) {
					time.Sleep(time.Second)
					_ = r.Respond(r.Message())
				}}}})
			must(t, err)
		}
		start := time.Now()
		answers := make(chan error, n)
		for i := range n {
			go func() {
				_, err := placer.Request(t.Context(), bus.Message{Subject: fmt.Sprint("shunt.cmd.n", i)})
				answers <- err
			}()
		}
		for range n {
			must(t, <-answers)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("a thousand at once took %v, want one second", took)
		}
		for _, node := range nodes {
			must(t, node.Close(t.Context()))
		}
		must(t, placer.Close(t.Context()))
	})
}
