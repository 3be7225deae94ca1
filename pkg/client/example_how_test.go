package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// WithID names the job, so to ask again is to ask for the same: the program runs
// once, and both calls have what it said.
func ExampleWithID() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "careful")

	var started []time.Time
	for range 2 {
		result, err := c.Exec(ctx, container, messages.Args{Cmd: []string{"echo", "migrated"}}, client.WithID("migrate-1"))
		if err != nil {
			fmt.Println(err)
			return
		}
		started = append(started, result.StartedAt)
	}
	fmt.Println(started[0].Equal(started[1]))
	// Output: true
}

// OnNode says which node is meant where several may have a container of the name.
func ExampleOnNode() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "there")

	result, err := c.Restart(ctx, container, 0, client.OnNode("linux-1"))
	fmt.Println(result.State, err)
	// Output: running <nil>
}

// Directly asks the node itself, without intake and placers.
func ExampleDirectly() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "near")

	result, err := c.Restart(ctx, container, 0, client.Directly("linux-1"))
	fmt.Println(result.State, err)
	// Output: running <nil>
}

// With changes anything else of the op's job, such as how long it may wait for a
// node that can do it.
func ExampleWith() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	within := client.With(func(job *messages.Job) { job.Policy.Deadline = messages.Duration(100 * time.Millisecond) })
	_, err := c.Pull(ctx, "linux-9", "team/hello:1", messages.Args{}, within)
	var failed *client.OpError
	if errors.As(err, &failed) {
		fmt.Println(failed.Op, "is", failed.State)
	}
	// Output: pull is dead
}

// An op that was not done is an OpError; behind it is what the node said.
func ExampleOpError() {
	c := connect()
	defer c.Close()

	_, err := c.Start(context.Background(), "nobody-rep-0", client.WithID("start-1"), client.Directly("linux-1"))
	var failed *client.OpError
	if errors.As(err, &failed) {
		fmt.Println(failed.Op, "on", failed.Node, "is", failed.State)
	}
	var said *messages.Error
	if errors.As(err, &said) {
		fmt.Println(said.Code)
	}
	// Output:
	// start on linux-1 is failed
	// not_found
}
