package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A container is worked on by ops, which are jobs themselves, and looked at by
// the verbs of its node.
func ExampleNode() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container, node := serve(ctx, c, "web"), c.Node("linux-1")

	state, err := node.State(ctx, container)
	fmt.Println(state.State, err)
	_, err = node.Wait(ctx, messages.WaitRequest{Container: container, Timeout: messages.Duration(time.Millisecond)})
	fmt.Println(err)
	result, err := c.Exec(ctx, container, messages.Args{Cmd: []string{"echo", "hi"}}, client.Directly("linux-1"))
	fmt.Printf("%q %v\n", result.Stdout, err)
	result, err = c.Stop(ctx, container, 0, client.Directly("linux-1"))
	fmt.Println(*result.Changed, err)
	// Output:
	// running <nil>
	// deadline_exceeded: timeout: not_running did not hold for container web-rep-0 within 1ms
	// "hi\n" <nil>
	// true <nil>
}

// Node asks nothing by itself: whether there is such a node shows with the first
// call.
func ExampleClient_Node() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	for _, name := range []string{"linux-1", "linux-2"} {
		node := c.Node(name)
		_, err := node.Info(ctx)
		fmt.Println(node.Name(), "answers:", !errors.Is(err, client.ErrUnreachable))
	}
	// Output:
	// linux-1 answers: true
	// linux-2 answers: false
}

// List is the containers of a node, page by page.
func ExampleNode_List() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	serve(ctx, c, "counted")

	const all = false // those that have not ended
	for container, err := range c.Node("linux-1").List(ctx, all) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if container.Job == "counted-1" {
			fmt.Println(container.Container, "is", container.State, "of", container.Image)
		}
	}
	// Output: counted-rep-0 is running of team/server:1
}

// Inspect is everything the node knows of a container.
func ExampleNode_Inspect() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "inspected")

	it, err := c.Node("linux-1").Inspect(ctx, container)
	fmt.Println(it.Service, it.Replica, it.State, it.Platform, err)
	// Output: inspected 0 running linux/amd64 <nil>
}

// State is the little that is asked most often.
func ExampleNode_State() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "stated")

	state, err := c.Node("linux-1").State(ctx, container)
	fmt.Println(state.State, err)
	// Output: running <nil>
}

// Wait waits for a container, of whatever job, and is how it ended.
func ExampleNode_Wait() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	spec := messages.Spec{Image: "team/hello:1", Entrypoint: []string{"sh", "-c", "sleep 0.1; exit 7"}}
	made, err := c.Create(ctx, messages.Job{Service: "brief", Spec: &spec})
	if err == nil {
		_, err = c.Start(ctx, made.Container)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	ended, err := c.Node("linux-1").Wait(ctx, messages.WaitRequest{Container: made.Container})
	fmt.Println(ended.ExitReason, "with", ended.ExitCode, err)
	// Output: exited with 7 <nil>
}

// Stats are a container's figures. The memory runtime of this fleet has none,
// and says so.
func ExampleNode_Stats() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "measured")

	now, err := c.Node("linux-1").Stats(ctx, container)
	var said *messages.Error
	switch {
	case errors.As(err, &said):
		fmt.Println(said.Code)
	default:
		fmt.Println(now.MemoryBytes, "bytes of", now.MemoryLimit)
	}
	// Output: not_implemented
}

// StatsStream gives figures every second, until the container ends. The memory
// runtime of this fleet has none, and says so.
func ExampleNode_StatsStream() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "followed")

	for now, err := range c.Node("linux-1").StatsStream(ctx, container) {
		var said *messages.Error
		if errors.As(err, &said) {
			fmt.Println(said.Code)
			break
		}
		fmt.Println(now.At, now.CPUUsageUsec, "µs,", now.MemoryBytes, "bytes")
	}
	// Output: not_implemented
}

// Events is what one worker does from now on; Client.Events hears the placers too.
func ExampleNode_Events() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c := connect()
	defer c.Close()

	go func() { // over and over, since what comes before the worker listens is not heard
		for ctx.Err() == nil {
			_, _ = c.Run(ctx, messages.Job{ID: client.NewID(), Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}})
		}
	}()
	for event, err := range c.Node("linux-1").Events(ctx, messages.EventStarted) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("a container has", event.Kind)
		break
	}
	// Output: a container has started
}

// Peers is the nodes that this worker itself has heard, and it is one of them.
func ExampleNode_Peers() {
	c := connect()
	defer c.Close()

	for peer, err := range c.Node("linux-1").Peers(context.Background()) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if peer.State == messages.NodeAlive {
			fmt.Println(peer.Node, peer.State)
		}
	}
	// Output: linux-1 alive
}

func ExampleNode_Info() {
	c := connect()
	defer c.Close()

	info, err := c.Node("linux-1").Info(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, runtime := range info.Runtimes {
		fmt.Println(info.Node, "has", runtime.Name, "of kind", runtime.Kind, "for", runtime.Platforms)
	}
	// Output: linux-1 has primary of kind memory for [linux/amd64]
}

// Attempt is what the node's journal has of a job, whether or not a placer knows.
func ExampleNode_Attempt() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{ID: "written-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}}
	if _, err := c.Run(ctx, job); err != nil {
		fmt.Println(err)
		return
	}
	const newest = 0
	outcome, err := c.Node("linux-1").Attempt(ctx, "written-1", newest)
	fmt.Println("attempt", outcome.Attempt, "is", outcome.Status, err)
	// Output: attempt 1 is completed <nil>
}

// Drain asks the worker itself, which needs no placer.
func ExampleNode_Drain() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	node := c.Node("linux-1")

	drained, err := node.Drain(ctx, 0) // and does not wait
	fmt.Println(drained.Draining, err)
	drained, err = node.Undrain(ctx)
	fmt.Println(drained.Draining, err)
	// Output:
	// true <nil>
	// false <nil>
}

// Undrain lets the worker take work again.
func ExampleNode_Undrain() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	reply, err := c.Node("linux-1").Undrain(ctx)
	if err != nil || reply.Draining {
		fmt.Println(reply.Draining, err)
		return
	}
	job := messages.Job{ID: "welcome-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}}
	outcome, err := c.Command(ctx, "linux-1", job, 10*time.Second)
	fmt.Println(outcome.Status, err)
	// Output: completed <nil>
}
