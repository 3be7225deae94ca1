package client_test

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// collect reads a sequence in the background.
func collect[T any](seq iter.Seq2[T, error]) (<-chan T, <-chan error) {
	values, ended := make(chan T, 1000), make(chan error, 1)
	go func() {
		var last error
		for v, err := range seq {
			if last = err; err == nil {
				values <- v
			}
		}
		ended <- last
	}()
	return values, ended
}

func soon[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: nothing comes", what)
		panic("unreached")
	}
}

// Figures that broke off, with a frame that was lost or a worker that stops, go on;
// those whose container ends, end.
func TestFiguresAreAskedForAgain(t *testing.T) {
	s, n := scripted(t, messages.VerbStats)
	figures, ended := collect(n.StatsStream(t.Context(), "web-rep-0"))
	pids := func(n uint64) { s.say(`{"pids":` + strconv.FormatUint(n, 10) + `}`) }
	s.hear()
	pids(1)
	s.seq++ // a frame is lost
	pids(2)
	s.hear()
	pids(3)
	s.say("", messages.HeaderErrorCode, "503", messages.HeaderError, "unavailable: the worker stops")
	s.hear()
	pids(4)
	s.end()
	for _, want := range []uint64{1, 3, 4} {
		if got := soon(t, "figures", figures); got.PIDs != want {
			t.Errorf("%d programs, want %d", got.PIDs, want)
		}
	}
	if err := soon(t, "the end", ended); err != nil {
		t.Error(err)
	}
}

// An answer that is an error is not asked for again.
func TestFiguresThatThereAreNot(t *testing.T) {
	s, n := scripted(t, messages.VerbStats)
	_, ended := collect(n.StatsStream(t.Context(), "web-rep-0"))
	s.hear()
	s.say("", messages.HeaderErrorCode, "404", messages.HeaderError, "not_found: container")
	if e, ok := errors.AsType[*messages.Error](soon(t, "the end", ended)); !ok || e.Code != messages.CodeNotFound {
		t.Errorf("it ends with %v", e)
	}
}

// A node's events go on when its worker was killed, and when the bus was away.
func TestANodesEventsGoOn(t *testing.T) {
	f, c := started(t)
	c.SetSilence(time.Second)
	events, ended := collect(c.Node("linux-1").Events(t.Context(), messages.EventExited))
	done := 0
	next := func(after string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for { // until it is heard: the worker may not have been asked yet
			id := "j" + strconv.Itoa(done)
			done++
			job := messages.Job{ID: id, Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}}
			if _, err := c.Run(ctx, job); err != nil {
				t.Fatalf("%s: %v", after, err)
			}
			select {
			case <-events:
				return
			case err := <-ended:
				t.Fatalf("%s they end with %v", after, err)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	next("at first")
	f.nodes["linux-1"].kill()
	if err := f.nodes["linux-1"].start(); err != nil {
		t.Fatal(err)
	}
	drop(events)
	next("after the worker was killed")
	address := f.url()
	if err := f.server.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	drop(events)
	if err := f.serve(address[len("nats://"):]); err != nil {
		t.Fatal(err)
	}
	next("after the bus was away")
}

// drop throws away what has come.
func drop[T any](from <-chan T) {
	for len(from) > 0 {
		<-from
	}
}
