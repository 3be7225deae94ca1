package client_test

import (
	"context"
	"fmt"
	"time"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

// A container can be made first and started later.
func ExampleClient_Create() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{Service: "made", Spec: &messages.Spec{Image: "team/server:1"}}
	made, err := c.Create(ctx, job)
	fmt.Println(made.Container, "is", made.State, err)
	started, err := c.Start(ctx, made.Container)
	fmt.Println(started.Container, "is", started.State, err)
	// Output:
	// made-rep-0 is pending <nil>
	// made-rep-0 is running <nil>
}

// Start starts a container again that has been stopped.
func ExampleClient_Start() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	made, err := c.Create(ctx, messages.Job{Service: "twice", Spec: &messages.Spec{Image: "team/server:1"}})
	for range 2 {
		if err == nil {
			_, err = c.Start(ctx, made.Container)
		}
		if err == nil {
			_, err = c.Stop(ctx, made.Container, time.Second)
		}
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	state, err := c.Node("linux-1").State(ctx, made.Container)
	fmt.Println(state.State, err)
	// Output: exited <nil>
}

// To stop what is stopped is no error; it changes nothing.
func ExampleClient_Stop() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	made, err := c.Create(ctx, messages.Job{Service: "stopped", Spec: &messages.Spec{Image: "team/server:1"}})
	if err == nil {
		_, err = c.Start(ctx, made.Container)
	}
	for range 2 {
		if err != nil {
			fmt.Println(err)
			return
		}
		var stopped messages.Result
		if stopped, err = c.Stop(ctx, made.Container, time.Second); err == nil {
			fmt.Println(stopped.State, *stopped.Changed)
		}
	}
	// Output:
	// exited true
	// exited false
}

func ExampleClient_Restart() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "restarted")

	result, err := c.Restart(ctx, container, 5*time.Second)
	fmt.Println(result.Container, "is", result.State, err)
	// Output: restarted-rep-0 is running <nil>
}

// Kill sends any signal. What it does to the container shows in its state.
func ExampleClient_Kill() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	made, err := c.Create(ctx, messages.Job{Service: "killed", Spec: &messages.Spec{Image: "team/server:1"}})
	if err == nil {
		_, err = c.Start(ctx, made.Container)
	}
	if err == nil {
		_, err = c.Kill(ctx, made.Container, "TERM")
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	ended, err := c.Node("linux-1").Wait(ctx, messages.WaitRequest{Container: made.Container})
	fmt.Println(ended.ExitReason, ended.ExitCode, err)
	// Output: signal 143 <nil>
}

// Remove takes a container away, with force one that runs.
func ExampleClient_Remove() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "removed")

	const force, volumes = true, true
	for range 2 {
		result, err := c.Remove(ctx, container, force, volumes)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(*result.Changed)
	}
	// Output:
	// true
	// false
}

// The second name is one more; the first goes on to hold.
func ExampleClient_Rename() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "named")

	if _, err := c.Rename(ctx, container, "shop-window"); err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{container, "shop-window"} {
		state, err := c.Node("linux-1").State(ctx, name)
		fmt.Println(name, "is", state.State, err)
	}
	// Output:
	// named-rep-0 is running <nil>
	// shop-window is running <nil>
}

// Exec runs a program to its end. That it ends with another code than 0 is no
// error of the call.
func ExampleClient_Exec() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "inside")

	result, err := c.Exec(ctx, container, messages.Args{Cmd: []string{"sh", "-c", "echo hi; exit 3"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%q and exit code %d\n", result.Stdout, *result.ExitCode)
	// Output: "hi\n" and exit code 3
}

// SyncVolumes copies a container's volume to a registry, from where another node
// can have it.
func ExampleClient_SyncVolumes() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	made, err := c.Create(ctx, messages.Job{Service: "data", Spec: &messages.Spec{
		Image: "team/server:1", Mounts: []messages.Mount{{Type: messages.MountVolume, Source: "kept", Target: "/kept"}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := c.SyncVolumes(ctx, made.Container, "registry.example/team/kept:1")
	for _, volume := range result.Volumes {
		fmt.Println(volume.Name, "is in", volume.Copy)
	}
	fmt.Println(err)
	// Output:
	// kept is in registry.example/team/kept:1
	// <nil>
}
