package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A watch of all jobs shows what is there, what changes, and what comes; nothing
// that was not asked for.
func TestWatchAll(t *testing.T) {
	_, c := started(t)
	job := func(id, team string) messages.Job {
		return messages.Job{
			ID: id, Op: messages.OpRun, Kind: messages.KindService,
			Spec: &messages.Spec{Image: "team/server:1", Labels: map[string]string{"team": team}},
		}
	}
	if err := c.SubmitMany(t.Context(), []messages.Job{job("a", "web"), job("other", "db")}); err != nil {
		t.Fatal(err)
	}
	until(t, c, "a", func(r *messages.Record) bool { return r.State == messages.StateRunning })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ends := map[string]int{}
	ran := map[string]bool{}
	for rec, err := range c.WatchAll(ctx, messages.JobsRequest{Labels: map[string]string{"team": "web"}}) {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case rec.Job.ID == "other":
			t.Error("a job of another team is shown")
		case rec.State.Ended():
			ends[rec.Job.ID]++
		case rec.State == messages.StateRunning && !ran[rec.Job.ID]:
			ran[rec.Job.ID] = true
			next := map[string]func() error{
				"a": func() error { return c.Submit(ctx, job("b", "web")) },
				"b": func() error {
					_, err1 := c.Cancel(ctx, "a", "")
					_, err2 := c.Cancel(ctx, "b", "")
					return errors.Join(err1, err2)
				},
			}
			if err := next[rec.Job.ID](); err != nil {
				t.Fatal(err)
			}
		}
		if len(ends) == 2 {
			break
		}
	}
	if ends["a"] != 1 || ends["b"] != 1 {
		t.Errorf("the ends are shown %v times", ends)
	}
}

func TestWatchOfAJobThatIsRejected(t *testing.T) {
	_, c := started(t)
	mine := messages.Job{ID: "x", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/server:1"}, Target: "nowhere", Policy: messages.Policy{Reroute: messages.RerouteNever}}
	if err := c.Submit(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	until(t, c, "x", func(*messages.Record) bool { return true })
	theirs := mine
	theirs.Spec = &messages.Spec{Image: "team/hello:1"}
	for rec, err := range c.Watch(t.Context(), "x") {
		if err != nil {
			if e, ok := errors.AsType[*messages.Error](err); !ok || e.Code != messages.CodeIDConflict {
				t.Errorf("the watch ends with %v", err)
			}
			return
		}
		if rec.State == messages.StatePending {
			if err := c.Submit(t.Context(), theirs); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Error("the watch ends without the rejection")
}

// A wait for a job that was retried is not answered with how it ended before.
func TestAWaitIsForTheLifeThatIsLed(t *testing.T) {
	_, c := started(t)
	job := messages.Job{ID: "again", Op: messages.OpRun, Kind: messages.KindService, Spec: &messages.Spec{Image: "team/server:1"}}
	running := func(r *messages.Record) bool { return r.State == messages.StateRunning }
	if err := c.Submit(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	until(t, c, "again", running)
	if _, err := c.Cancel(t.Context(), "again", ""); err != nil {
		t.Fatal(err)
	}
	if rec, err := c.Wait(t.Context(), "again"); err != nil || rec.State != messages.StateCancelled {
		t.Fatalf("it is %s, %v", rec.State, err)
	}
	if _, err := c.Retry(t.Context(), "again", ""); err != nil {
		t.Fatal(err)
	}
	until(t, c, "again", running)
	ended := make(chan messages.Record, 1)
	go func() {
		rec, err := c.Run(t.Context(), job) // the same job again: this life of it
		if err == nil {
			ended <- rec
		}
	}()
	if _, err := c.Node("linux-1").Wait(t.Context(), messages.WaitRequest{Container: "again-rep-0", Timeout: messages.Duration(50 * time.Millisecond)}); err == nil {
		t.Error("it has ended by itself")
	}
	if len(ended) > 0 {
		t.Error("the wait is over, and the job runs")
	}
	if _, err := c.Cancel(t.Context(), "again", ""); err != nil {
		t.Fatal(err)
	}
	if rec := <-ended; rec.Retries != 1 || rec.State != messages.StateCancelled {
		t.Errorf("it ended %s after %d retries", rec.State, rec.Retries)
	}
}
