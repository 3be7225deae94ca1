package client_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/shunt-fleet/shunt/pkg/messages"
)

func ExampleClient_Pull() {
	c := connect()
	defer c.Close()

	result, err := c.Pull(context.Background(), "linux-1", "team/hello:1", messages.Args{Policy: messages.PullIfNotPresent})
	fmt.Println(strings.HasPrefix(result.ImageDigest, "sha256:"), err)
	// Output: true <nil>
}

// Tag gives an image another name, under which it can be run.
func ExampleClient_Tag() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	_, err := c.Pull(ctx, "linux-1", "team/hello:1", messages.Args{})
	if err == nil {
		_, err = c.Tag(ctx, "linux-1", "team/hello:1", "team/greeting:1")
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	for image, err := range c.Node("linux-1").Images(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if strings.HasSuffix(image.Reference, "team/greeting:1") {
			fmt.Println(image.Reference)
		}
	}
	// Output: docker.io/team/greeting:1
}

func ExampleClient_RemoveImage() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	if _, err := c.Pull(ctx, "linux-1", "team/hello:1", messages.Args{}); err != nil {
		fmt.Println(err)
		return
	}
	const force = true // although a container may have been made of it
	result, err := c.RemoveImage(ctx, "linux-1", "team/hello:1", force)
	fmt.Println(result.Deleted, err)
	// Output: [team/hello:1] <nil>
}

// Prune removes every image that no container needs.
func ExampleClient_Prune() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	if _, err := c.Pull(ctx, "linux-1", "team/hello:1", messages.Args{}); err != nil {
		fmt.Println(err)
		return
	}
	result, err := c.Prune(ctx, "linux-1")
	fmt.Println(slices.Contains(result.Deleted, "docker.io/team/hello:1"), err)
	// Output: true <nil>
}

// Images is what a node holds, page by page.
func ExampleNode_Images() {
	ctx := context.Background()
	c := connect()
	defer c.Close()

	if _, err := c.Pull(ctx, "linux-1", "team/server:1", messages.Args{}); err != nil {
		fmt.Println(err)
		return
	}
	for image, err := range c.Node("linux-1").Images(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if strings.HasSuffix(image.Reference, "team/server:1") {
			fmt.Println(image.Reference, image.Platforms)
		}
	}
	// Output: docker.io/team/server:1 [linux/amd64]
}
