package client_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

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

func ExampleClient_Info() {
	c := connect()
	defer c.Close()

	info, err := c.Info(context.Background())
	fmt.Println(info.ID, slices.Contains(info.Placers, "placer-1"), err)
	// Output: placer-1 true <nil>
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

// Drain lets a node take no more work; with a timeout it answers when nothing is
// left there.
func ExampleClient_Drain() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	reply, err := c.Drain(ctx, messages.DrainRequest{Node: "linux-1"})
	fmt.Println(reply.Node, "drains:", reply.Draining, err)
	reply, err = c.Undrain(ctx, "linux-1")
	fmt.Println(reply.Node, "drains:", reply.Draining, err)
	// Output:
	// linux-1 drains: true <nil>
	// linux-1 drains: false <nil>
}

// Undrain lets a node take work again; one that does not drain stays as it is.
func ExampleClient_Undrain() {
	c := connect()
	defer c.Close()

	reply, err := c.Undrain(context.Background(), "linux-1")
	fmt.Println(reply.Node, "drains:", reply.Draining, err)
	// Output: linux-1 drains: false <nil>
}

// Forget is for a node that will not come back. One that can be heard is not
// forgotten.
func ExampleClient_Forget() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	gone := visitor(ctx, c, "old-1") // a node whose worker has ended

	reply, err := c.Forget(ctx, gone)
	fmt.Println(reply.Node, "is forgotten", err)
	_, err = c.Forget(ctx, "linux-1")
	var refused *messages.Error
	if errors.As(err, &refused) {
		fmt.Println("linux-1 is not:", refused.Code)
	}
	// Output:
	// old-1 is forgotten <nil>
	// linux-1 is not: failed_precondition
}

// Seal puts credentials into a box that only the placers can open, so a job can
// bring its own along.
func ExampleClient_Seal() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	box, err := c.Seal(ctx, messages.RegistryAuth{Registry: "docker.io", Username: "ann", Password: "secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	record, err := c.Run(ctx, messages.Job{
		ID: "private-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1", RegistryAuth: box},
	})
	fmt.Println(record.State, err)
	// Output: completed <nil>
}

// SealFor is for a job that is given to a node directly.
func ExampleClient_SealFor() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	box, err := c.SealFor(ctx, "linux-1", messages.RegistryAuth{Registry: "docker.io", Username: "ann", Password: "secret"})
	if err != nil {
		fmt.Println(err)
		return
	}
	outcome, err := c.Command(ctx, "linux-1", messages.Job{
		ID: "private-2", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1", RegistryAuth: box},
	}, 10*time.Second)
	fmt.Println(outcome.Status, err)
	// Output: completed <nil>
}
