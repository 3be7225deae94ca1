package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// Logs is a container's output piece by piece, with the stream and the time of
// each. It is there when the container is not any more.
func ExampleNode_Logs() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	job := messages.Job{ID: "pieces-1", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"}}
	record, err := c.Run(ctx, job)
	if err != nil {
		fmt.Println(err)
		return
	}
	for frame, err := range c.Node(record.Node).Logs(ctx, messages.LogsRequest{Job: "pieces-1"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %q\n", frame.Stream, frame.Data)
	}
	// Output: stdout: "hello\n"
}

// With Follow the output is copied as it is written, until the container ends.
func ExampleNode_CopyLogs() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	spec := messages.Spec{Image: "team/hello:1", Entrypoint: []string{"sh", "-c", "echo one; sleep 0.1; echo two"}}
	made, err := c.Create(ctx, messages.Job{Service: "slow", Spec: &spec})
	if err == nil {
		_, err = c.Start(ctx, made.Container)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	err = c.Node("linux-1").CopyLogs(ctx, messages.LogsRequest{Container: made.Container, Follow: true}, os.Stdout, os.Stderr)
	fmt.Println(err)
	// Output:
	// one
	// two
	// <nil>
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

// Exec has a program's input and output as they come. Without an input and a
// terminal there is nothing to say to it.
func ExampleNode_Exec() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "shell")

	program, err := c.Node("linux-1").Exec(ctx,
		messages.ExecRequest{Container: container, Cmd: []string{"sh", "-c", "echo inside; exit 3"}},
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

// Wait is the program's exit code, whatever it is; an error says that the program
// did not get as far as that.
func ExampleExecution_Wait() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "short")

	for _, name := range []string{container, "nobody-rep-0"} {
		program, err := c.Node("linux-1").Exec(ctx, messages.ExecRequest{Container: name, Cmd: []string{"false"}}, client.Streams{})
		if err != nil {
			fmt.Println(err)
			return
		}
		code, err := program.Wait()
		fmt.Println(code, err != nil)
	}
	// Output:
	// 1 false
	// -1 true
}

// A program with an input, or a terminal, takes signals.
func ExampleExecution_Signal() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "sleepy")

	input, keys := io.Pipe()
	defer keys.Close()
	program, err := c.Node("linux-1").Exec(ctx,
		messages.ExecRequest{Container: container, Cmd: []string{"sleep", "3600"}}, client.Streams{Stdin: input})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := program.Signal("TERM"); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(program.Wait())
	// Output: 143 <nil>
}

// Resize is for a program with a terminal; one without has no size.
func ExampleExecution_Resize() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "plain")

	program, err := c.Node("linux-1").Exec(ctx, messages.ExecRequest{Container: container, Cmd: []string{"true"}}, client.Streams{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(program.Resize(24, 80))
	fmt.Println(program.Wait())
	// Output:
	// the program was not started with a terminal or an input; it takes no signals and has no size
	// 0 <nil>
}

// Close gives a program up that still runs; the worker ends it.
func ExampleExecution_Close() {
	ctx := context.Background()
	c := connect()
	defer c.Close()
	container := serve(ctx, c, "endless")

	program, err := c.Node("linux-1").Exec(ctx, messages.ExecRequest{Container: container, Cmd: []string{"sleep", "3600"}}, client.Streams{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(program.Close())
	_, err = program.Wait()
	fmt.Println(errors.Is(err, context.Canceled))
	// Output:
	// <nil>
	// true
}
