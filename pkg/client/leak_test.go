package client_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestNothingStaysBehind begins everything that lasts, lets its callers go away
// in the middle, and counts what is left: goroutines and subscriptions.
func TestNothingStaysBehind(t *testing.T) {
	f, _ := started(t)
	nc, err := nats.Connect(f.url())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	c, err := client.Connect(t.Context(), client.Config{Conn: nc})
	if err != nil {
		t.Fatal(err)
	}
	job := messages.Job{ID: "stays", Service: "stays", Op: messages.OpRun, Kind: messages.KindService, Spec: &messages.Spec{Image: "team/server:1"}}
	if err := c.Submit(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	until(t, c, "stays", func(r *messages.Record) bool { return r.State == messages.StateRunning })
	n := c.Node("linux-1")
	if _, err := nc.Subscribe(root.NodeVerb("mute", messages.VerbInfo), func(*nats.Msg) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Subscribe(root.NodeVerb("mute", messages.VerbStats), func(m *nats.Msg) { // in memory there is nothing to measure
		first := nats.NewMsg(m.Reply)
		first.Header.Set(messages.HeaderSeq, "1")
		first.Data = []byte(`{"pids":1}`)
		_ = m.RespondMsg(first)
	}); err != nil {
		t.Fatal(err)
	}
	lasting := map[string]func(context.Context){
		"wait": func(ctx context.Context) { _, _ = c.Wait(ctx, "stays") },
		"run": func(ctx context.Context) {
			_, _ = c.Run(ctx, messages.Job{ID: "w", Op: messages.OpRun, Spec: job.Spec, Target: "none", Policy: messages.Policy{Reroute: messages.RerouteNever}})
		},
		"watch":       func(ctx context.Context) { drain(c.Watch(ctx, "stays")) },
		"watch all":   func(ctx context.Context) { drain(c.WatchAll(ctx, messages.JobsRequest{})) },
		"events":      func(ctx context.Context) { drain(c.Events(ctx)) },
		"node events": func(ctx context.Context) { drain(n.Events(ctx)) },
		"stats":       func(ctx context.Context) { drain(c.Node("mute").StatsStream(ctx, "stays-rep-0")) },
		"logs":        func(ctx context.Context) { drain(n.Logs(ctx, messages.LogsRequest{Job: "stays", Follow: true})) },
		"reader": func(ctx context.Context) {
			r := n.LogReader(ctx, messages.LogsRequest{Job: "stays", Follow: true})
			_, _ = r.Read(make([]byte, 1))
			_ = r.Close()
		},
		"exec": func(ctx context.Context) {
			x, err := n.Exec(ctx, messages.ExecRequest{Container: "stays-rep-0", Cmd: []string{"sleep", "3600"}}, client.Streams{Stdin: strings.NewReader("")})
			if err == nil {
				_, _ = x.Wait()
			}
		},
		"node wait": func(ctx context.Context) { _, _ = n.Wait(ctx, messages.WaitRequest{Container: "stays-rep-0"}) },
		"request":   func(ctx context.Context) { _, _ = c.Node("mute").Info(ctx) },
	}
	for name, f := range lasting {
		t.Run(name, func(t *testing.T) {
			away(t, f, 10*time.Millisecond) // what is made once for a connection
			subs := nc.NumSubscriptions()
			for range 20 {
				away(t, f, 2*time.Millisecond)
			}
			eventually(t, func() string {
				if left := atWork(); left != "" || nc.NumSubscriptions() > subs {
					return fmt.Sprintf("%d subscriptions, before %d, and at work are still:\n%s", nc.NumSubscriptions(), subs, left)
				}
				return ""
			})
		})
	}
}

// atWork is the stacks of the goroutines that the client has begun.
func atWork() string {
	stacks := make([]byte, 1<<22)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var left []string
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "/pkg/client.") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}

// away calls f and lets go of it a moment later.
func away(t *testing.T, f func(context.Context), after time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); f(ctx) }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("it does not end with its context")
	}
}

func drain[T any](seq func(func(T, error) bool)) {
	for range seq {
		continue
	}
}

// eventually waits until there is nothing to complain about.
func eventually(t *testing.T, complaint func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		said := complaint()
		if said == "" {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(said)
		}
	}
}
