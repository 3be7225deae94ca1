package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// The examples run as they stand, on a fleet of one node, linux-1. It has two
// images: team/hello:1 says hello, and team/server:1 runs until it is stopped.

func Example() {
	ctx := context.Background()
	c := connect() // client.Connect(ctx, client.Config{URL: "nats://127.0.0.1:4222"})
	defer c.Close()

	job := messages.Job{ID: "hello-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}}
	if err := c.Submit(ctx, job); err != nil {
		fmt.Println(err)
		return
	}
	record, err := c.Wait(ctx, "hello-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(record.State, "on", record.Node)
	err = c.Node(record.Node).CopyLogs(ctx, messages.LogsRequest{Job: "hello-1"}, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// completed on linux-1
	// hello
}

// Run submits a job and waits for its end. That the job failed is no error of
// the call.
func ExampleClient_Run() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	record, err := c.Run(ctx, messages.Job{
		ID: "fails-1", Op: messages.OpRun,
		Spec: &messages.Spec{Image: "team/hello:1", Entrypoint: []string{"sh", "-c", "exit 3"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(record.State, "with exit code", *record.Outcome.Result.ExitCode)
	// Output: failed with exit code 3
}

func ExampleClient_SubmitMany() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	var jobs []messages.Job
	for i := range 10 {
		jobs = append(jobs, messages.Job{
			ID: fmt.Sprintf("many-%d", i), Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"},
		})
	}
	if err := c.SubmitMany(ctx, jobs); err != nil {
		fmt.Println(err)
		return
	}
	done := 0
	for _, job := range jobs {
		if record, err := c.Wait(ctx, job.ID); err == nil && record.State == messages.StateCompleted {
			done++
		}
	}
	fmt.Println(done, "of", len(jobs), "are done")
	// Output: 10 of 10 are done
}

// What is wrong with a job is said before it is sent.
func ExampleClient_Submit_mistake() {
	c := connect()
	defer c.Close()

	err := c.Submit(context.Background(), messages.Job{ID: "no spaces", Op: messages.OpRun})
	var wrong *messages.Error
	if errors.As(err, &wrong) {
		fmt.Println(wrong.Code, "in", wrong.Field)
	}
	// Output: invalid_argument in id
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

// A job that has ended badly can have another life.
func ExampleClient_Retry() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{ID: "again-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1", Entrypoint: []string{"false"}}}
	if _, err := c.Run(ctx, job); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := c.Retry(ctx, "again-1", "once more"); err != nil {
		fmt.Println(err)
		return
	}
	for record, err := range c.Watch(ctx, "again-1") {
		if err != nil {
			fmt.Println(err)
			return
		}
		if record.State.Ended() {
			fmt.Println("retried", record.Retries, "times:", record.State)
		}
	}
	// Output: retried 1 times: failed
}

// SubmitCancel needs no placer just now: the wish is kept.
func ExampleClient_SubmitCancel() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{
		ID: "never-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"},
		Requires: messages.Requires{Labels: map[string]string{"disk": "ssd"}},
	}
	if err := errors.Join(c.Submit(ctx, job), c.SubmitCancel(ctx, "never-1", "no such disk")); err != nil {
		fmt.Println(err)
		return
	}
	record, err := c.Wait(ctx, "never-1")
	fmt.Println(record.State, record.Reason, err)
	// Output: cancelled no such disk <nil>
}

// Lists come page by page, and are read like any other sequence.
func ExampleClient_Nodes() {
	c := connect()
	defer c.Close()

	for node, err := range c.Nodes(context.Background(), messages.NodesRequest{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(node.Node, "is", node.State, "and runs", node.Platforms[0].Platform)
	}
	// Output: linux-1 is alive and runs linux/amd64
}

func ExampleClient_Jobs() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{
		ID: "listed-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"},
		Requires: messages.Requires{Labels: map[string]string{"disk": "ssd"}},
	}
	if err := c.Submit(ctx, job); err != nil {
		fmt.Println(err)
		return
	}
	for record, err := range c.Watch(ctx, "listed-1") { // until a placer has it
		if err != nil || record.Reason != "" {
			break
		}
	}
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

// Explain asks where a job would go. Nothing happens to it.
func ExampleClient_Explain() {
	c := connect()
	defer c.Close()

	windows := messages.Platform{OS: messages.Windows, Arch: "amd64"}
	reply, err := c.Explain(context.Background(), messages.ExplainRequest{
		Job: &messages.Job{V: 1, ID: "what-if", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1", Platform: &windows}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range reply.Nodes {
		fmt.Println(n.Node, n.OK, n.Code, n.Reason)
	}
	// Output: linux-1 false platform needs windows/amd64, runs linux/amd64
}

// A container is worked on by ops, which are jobs themselves, and looked at by
// the verbs of its node.
func ExampleNode() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	node := c.Node("linux-1")

	job := messages.Job{ID: "web-1", Service: "web", Op: messages.OpRun, Kind: messages.KindService, Spec: &messages.Spec{Image: "team/server:1"}}
	if err := c.Submit(ctx, job); err != nil {
		fmt.Println(err)
		return
	}
	for record, err := range c.Watch(ctx, "web-1") {
		if err != nil || record.State == messages.StateRunning {
			break
		}
	}
	state, err := node.State(ctx, "web-rep-0")
	fmt.Println(state.State, err)
	_, err = node.Wait(ctx, messages.WaitRequest{Container: "web-rep-0", Timeout: messages.Duration(time.Millisecond)})
	fmt.Println(err)
	result, err := c.Exec(ctx, "web-rep-0", messages.Args{Cmd: []string{"echo", "hi"}}, client.Directly("linux-1"))
	fmt.Printf("%q %v\n", result.Stdout, err)
	result, err = c.Stop(ctx, "web-rep-0", 0, client.Directly("linux-1"))
	fmt.Println(*result.Changed, err)
	// Output:
	// running <nil>
	// deadline_exceeded: timeout: not_running did not hold for container web-rep-0 within 1ms
	// "hi\n" <nil>
	// true <nil>
}

// Exec has a program's input and output as they come. Without an input and a
// terminal there is nothing to say to it.
func ExampleNode_Exec() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{ID: "shell-1", Service: "shell", Op: messages.OpRun, Kind: messages.KindService, Spec: &messages.Spec{Image: "team/server:1"}}
	if err := c.Submit(ctx, job); err != nil {
		fmt.Println(err)
		return
	}
	for record, err := range c.Watch(ctx, "shell-1") {
		if err != nil || record.State == messages.StateRunning {
			break
		}
	}
	program, err := c.Node("linux-1").Exec(ctx,
		messages.ExecRequest{Container: "shell-rep-0", Cmd: []string{"sh", "-c", "echo inside; exit 3"}},
		client.Streams{Stdin: strings.NewReader("nobody reads this\n"), Stdout: os.Stdout, Stderr: os.Stderr})
	if err != nil {
		fmt.Println(err)
		return
	}
	code, err := program.Wait()
	fmt.Println("exit code", code, err)
	// Output:
	// inside
	// exit code 3 <nil>
}

// LogReader is a container's output for whatever reads bytes.
func ExampleNode_LogReader() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{ID: "lines-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1", Entrypoint: []string{"sh", "-c", "echo one; echo two"}}}
	record, err := c.Run(ctx, job)
	if err != nil {
		fmt.Println(err)
		return
	}
	output := c.Node(record.Node).LogReader(ctx, messages.LogsRequest{Job: "lines-1"})
	defer output.Close()
	text, err := io.ReadAll(output)
	fmt.Printf("%q %v\n", text, err)
	// Output: "one\ntwo\n" <nil>
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

func ExampleClient_Info() {
	c := connect()
	defer c.Close()

	info, err := c.Info(context.Background())
	fmt.Println(info.ID, slices.Contains(info.Placers, "placer-1"), err)
	// Output: placer-1 true <nil>
}
