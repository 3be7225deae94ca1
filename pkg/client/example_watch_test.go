package client_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Wait returns at once when the job has already ended.
func ExampleClient_Wait() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{ID: "waited-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1", Entrypoint: []string{"sleep", "0.1"}}}
	if err := c.Submit(ctx, job); err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		record, err := c.Wait(ctx, "waited-1")
		fmt.Println(record.State, err)
	}
	// Output:
	// completed <nil>
	// completed <nil>
}

// Watch shows a job until it has ended. Here it is cancelled once it runs.
func ExampleClient_Watch() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{ID: "watched-1", Op: messages.OpRun, Kind: messages.KindService, Spec: &messages.Spec{Image: "team/server:1"}}
	if err := c.Submit(ctx, job); err != nil {
		fmt.Println(err)
		return
	}
	var last messages.State
	for record, err := range c.Watch(ctx, "watched-1") {
		if err != nil {
			fmt.Println(err)
			return
		}
		if last != messages.StateRunning && record.State == messages.StateRunning {
			fmt.Println("it runs on", record.Node)
			if _, err := c.Cancel(ctx, "watched-1", "seen enough"); err != nil {
				fmt.Println(err)
				return
			}
		}
		last = record.State
	}
	fmt.Println("it is", last)
	// Output:
	// it runs on linux-1
	// it is cancelled
}

// SubmitAndWatch misses nothing, since it listens before it submits.
func ExampleClient_SubmitAndWatch() {
	c := connect()
	defer c.Close()

	job := messages.Job{ID: "seen-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1", Entrypoint: []string{"exit", "4"}}}
	for record, err := range c.SubmitAndWatch(context.Background(), job) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if record.State.Ended() {
			fmt.Println(record.State, "with exit code", *record.Outcome.Result.ExitCode)
		}
	}
	// Output: failed with exit code 4
}

// WatchAll shows what matches and is there, and then every change.
func ExampleClient_WatchAll() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	serve(ctx, c, "front") // job front-1 runs

	for record, err := range c.WatchAll(ctx, messages.JobsRequest{Service: "front"}) {
		if err == nil && record.State == messages.StateRunning {
			_, err = c.Cancel(ctx, record.Job.ID, "")
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		if record.State.Ended() {
			fmt.Println(record.Job.ID, "is", record.State)
			return // a watch of many has no end of its own
		}
	}
	// Output: front-1 is cancelled
}

// Job is a job's record: what was submitted, where it stands, and how it came there.
func ExampleClient_Job() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{ID: "asked-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}}
	if _, err := c.Run(ctx, job); err != nil {
		fmt.Println(err)
		return
	}
	record, err := c.Job(ctx, "asked-1")
	fmt.Println(record.Job.Spec.Image, "on", record.Node, "in attempt", record.Attempt, err)
	_, err = c.Job(ctx, "asked-2")
	var unknown *messages.Error
	fmt.Println(errors.As(err, &unknown) && unknown.Code == messages.CodeNotFound)
	// Output:
	// team/hello:1 on linux-1 in attempt 1 <nil>
	// true
}

// Jobs is the live jobs, or those that have ended in a state, page by page.
func ExampleClient_Jobs() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	waits(ctx, c, "listed-1") // a job that no node can take

	for record, err := range c.Jobs(ctx, messages.JobsRequest{State: messages.StatePending}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(record.Job.ID, "waits:", record.Reason)
	}
	_, _ = c.Cancel(ctx, "listed-1", "")
	// Output: listed-1 waits: no node can take it; linux-1: has no label disk (wanted: ssd)
}

// Events are heard from now on, so what is to be heard comes after.
func ExampleClient_Events() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := connect()
	defer c.Close()

	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			_, _ = c.Run(ctx, messages.Job{ID: fmt.Sprintf("told-%d", i), Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}})
		}
	}()
	for event, err := range c.Events(ctx, messages.EventExited) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(event.Node, "says that a container has", event.Kind)
		break
	}
	// Output: linux-1 says that a container has exited
}
