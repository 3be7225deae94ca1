package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestFiguresAsTheyCome reads a container's figures by the client and by the
// command line: while it works, until it ends, and until their reader does.
func TestFiguresAsTheyCome(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.linux()
	c, err := client.Connect(t.Context(), client.Config{URL: f.nats.url})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	image := f.linuxImage("handle-term")

	t.Run("they move, and end with the container", func(t *testing.T) {
		f.runService("works", image, `"handle-term"`)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		var first messages.Stats
		stopped := false
		for s, err := range c.Node(linuxNode).StatsStream(ctx, "works-rep-0") {
			switch {
			case err != nil:
				t.Fatalf("after figures of %s: %v", first.At, err)
			case first.At.IsZero():
				if first = s; s.PIDs == 0 || s.MemoryBytes == 0 || s.MemoryLimit != 32<<20 || s.CPUUsageUsec == 0 {
					t.Errorf("the first figures are %+v", s)
				}
				f.command(linuxNode, `{"v":1,"id":"effort","op":"exec","container":"works-rep-0","args":{"cmd":["flood","100000"]}}`)
			case !stopped && s.At.After(first.At) && s.CPUUsageUsec > first.CPUUsageUsec+1000:
				stopped = true
				f.command(linuxNode, `{"v":1,"id":"enough","op":"stop","container":"works-rep-0"}`)
			}
		}
		if !stopped {
			t.Error("they ended before the container did")
		}
	})
	t.Run("for people", func(t *testing.T) {
		f.runService("shown", image, `"handle-term"`)
		shown := f.shows("stats", "--stream", "shown-rep-0", "--node", linuxNode)
		shown.await(`(?m)^\d\d:\d\d:\d\d  cpu -  memory [\d.]+ [KM]iB  pids [1-9]\d*  net [\d.]+ K?i?B in, `)
		shown.await(`(?m)^\d\d:\d\d:\d\d  cpu \d+\.\d%  memory `) // there is one before it to compare with
		f.command(linuxNode, `{"v":1,"id":"shown-stop","op":"stop","container":"shown-rep-0"}`)
		if code := shown.wait(); code != 0 {
			t.Errorf("it ends with %d when the container has\n%s", code, shown.output)
		}
	})
	t.Run("their reader goes away", func(t *testing.T) {
		f.runService("watched", image, `"handle-term"`)
		f.fillStreams(255) // of the 256 that a node has at most
		reader := f.shows("stats", "--stream", "watched-rep-0", "--node", linuxNode, "--output", "json")
		reader.await(`(?m)^\{"v":1,"cpu_usage_usec":\d+,"memory_bytes":\d+`)
		if err := firstFigures(t, c); !isCode(err, messages.CodeResourceExhausted) {
			t.Errorf("one more than there can be: %v", err)
		}
		_ = reader.cmd.Process.Kill()
		eventually(t, "its place is free", func() (bool, string) {
			err := firstFigures(t, c)
			return err == nil, fmt.Sprint(err)
		})
	})
}

// firstFigures reads figures once and goes away.
func firstFigures(t *testing.T, c *client.Client) error {
	t.Helper()
	for _, err := range c.Node(linuxNode).StatsStream(t.Context(), "watched-rep-0") {
		return err
	}
	return errors.New("they end at once")
}

func isCode(err error, code messages.Code) bool {
	e, ok := errors.AsType[*messages.Error](err)
	return ok && e.Code == code
}

// fillStreams listens to the node's events so many times, for as long as the test
// goes on.
func (f *fleet) fillStreams(n int) {
	f.t.Helper()
	nc, err := nats.Connect(f.nats.url)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(nc.Close)
	var heard sync.Map
	if _, err := nc.Subscribe("listeners.*", func(m *nats.Msg) { heard.Store(m.Subject, string(m.Data)) }); err != nil {
		f.t.Fatal(err)
	}
	for i := range n {
		if err := nc.PublishRequest("shunt.node.linux-1.events", fmt.Sprintf("listeners.%d", i), []byte(`{"v":1,"kinds":["accepted"]}`)); err != nil {
			f.t.Fatal(err)
		}
	}
	told := 0
	eventually(f.t, "all are told of something", func() (bool, string) {
		told++
		f.command(linuxNode, fmt.Sprintf(`{"v":1,"id":"told-%d","op":"exec","container":"watched-rep-0","args":{"cmd":["true"]}}`, told))
		listening := 0
		heard.Range(func(_, said any) bool {
			if strings.Contains(said.(string), `"kind":"accepted"`) {
				listening++
			}
			return true
		})
		return listening == n, fmt.Sprint(listening)
	})
}
