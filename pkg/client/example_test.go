package client_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/nats-io/nats.go"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// The examples run as they stand, on a fleet of one node, linux-1, whose runtime
// is the memory runtime. It has two images: team/hello:1 says hello, and
// team/server:1 runs until it is stopped.

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

// A client may have a connection of its own, or share one.
func ExampleConnect() {
	nc, err := nats.Connect(url())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer nc.Close()
	c, err := client.Connect(context.Background(), client.Config{Conn: nc})
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Close() // leaves the connection open, since it is not the client's own
	fmt.Println(nc.Status())
	// Output: CONNECTED
}

// Where there is no server, that is said within a few seconds.
func ExampleConnect_unreachable() {
	_, err := client.Connect(context.Background(), client.Config{URL: "nats://127.0.0.1:1"})
	fmt.Println(errors.Is(err, client.ErrUnreachable))
	// Output: true
}

func ExampleClient_Close() {
	c := connect()
	c.Close()
	_, err := c.Info(context.Background())
	fmt.Println(errors.Is(err, client.ErrUnreachable))
	// Output: true
}

// An id that is made up is one that no other job has.
func ExampleNewID() {
	c := connect()
	defer c.Close()

	record, err := c.Run(context.Background(), messages.Job{
		ID: client.NewID(), Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"},
	})
	fmt.Println(record.State, err)
	// Output: completed <nil>
}
