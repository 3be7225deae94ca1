package client_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// TestTheBusGoesAwayAndComesBack asks everything while the server is away. What is
// asked waits, and what lasts goes on.
func TestTheBusGoesAwayAndComesBack(t *testing.T) {
	f, c := started(t)
	script := ""
	for i := range 30 {
		script += fmt.Sprintf("echo line %d; sleep 0.05; ", i)
	}
	talks := messages.Job{ID: "talks", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1", Entrypoint: []string{"sh", "-c", script}}}
	serves := messages.Job{ID: "serves", Op: messages.OpRun, Kind: messages.KindService, Spec: &messages.Spec{Image: "team/server:1"}}
	if err := c.SubmitMany(t.Context(), []messages.Job{talks, serves}); err != nil {
		t.Fatal(err)
	}
	until(t, c, "serves", func(r *messages.Record) bool { return r.State == messages.StateRunning })
	up(t, c, "talks-rep-0")
	lines, logsEnded := read(t.Context(), c.Node("linux-1"), messages.LogsRequest{Job: "talks", Follow: true})
	wantLines(t, lines, "line 0\n")
	watched := make(chan messages.State, 1)
	go func() {
		for rec, err := range c.Watch(t.Context(), "serves") {
			if err != nil || rec.State.Ended() {
				watched <- rec.State
			}
		}
	}()

	address := f.url()
	if err := f.server.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	asked := make(chan error, 3)
	go func() {
		_, err := c.Cancel(t.Context(), "serves", "enough")
		asked <- err
	}()
	go func() {
		asked <- c.Submit(t.Context(), messages.Job{ID: "late", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}})
	}()
	go func() {
		for _, err := range c.Nodes(t.Context(), messages.NodesRequest{}) {
			asked <- err
			return
		}
	}()
	if err := f.serve(address[len("nats://"):]); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		select {
		case err := <-asked:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Fatal("what was asked is not answered")
		}
	}
	if state := <-watched; state != messages.StateCancelled {
		t.Errorf("the watch ends with %s", state)
	}
	if rec, err := c.Wait(t.Context(), "late"); err != nil || rec.State != messages.StateCompleted {
		t.Errorf("what was submitted meanwhile is %s, %v", rec.State, err)
	}
	for i := 1; i < 30; i++ {
		wantLines(t, lines, fmt.Sprintf("line %d\n", i))
	}
	if err := <-logsEnded; err != nil {
		t.Error(err)
	}
}
