package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// When Submit returns, the job is durable. The same job again is the same job.
func ExampleClient_Submit() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{ID: "once-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}}
	for range 2 {
		if err := c.Submit(ctx, job); err != nil {
			fmt.Println(err)
			return
		}
	}
	record, err := c.Wait(ctx, "once-1")
	fmt.Println(record.State, "after", record.Starts, "start", err)
	// Output: completed after 1 start <nil>
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

// Cancel asks for a job's end; Wait sees it.
func ExampleClient_Cancel() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	serve(ctx, c, "unwanted") // job unwanted-1 runs

	if _, err := c.Cancel(ctx, "unwanted-1", "not needed any more"); err != nil {
		fmt.Println(err)
		return
	}
	record, err := c.Wait(ctx, "unwanted-1")
	fmt.Println(record.State, "since it is", record.Reason, err)
	// Output: cancelled since it is not needed any more <nil>
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

// Command gives a job to one node, which needs no placer. A node that cannot run
// it says what it takes; unless the refusal is to be final, the placers then look
// for another node.
func ExampleClient_Command() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{ID: "direct-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}}
	outcome, err := c.Command(ctx, "linux-1", job, 10*time.Second)
	fmt.Println(outcome.Status, err)

	job.ID, job.Policy.Reroute = "direct-2", messages.RerouteNever
	job.Spec.Platform = &messages.Platform{OS: messages.Windows, Arch: "amd64"}
	outcome, err = c.Command(ctx, "linux-1", job, 0)
	fmt.Println(outcome.Status, "needs", outcome.Route.RequiredOS, err)
	// Output:
	// completed <nil>
	// route_to_peer needs windows <nil>
}
