// Command scheduler is a fleet scheduler: it builds something once for each
// platform that the fleet has, and tries those builds again that fail.
//
//	go run ./examples/scheduler nats://127.0.0.1:4222 IMAGE COMMAND…
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func main() {
	if err := schedule(context.Background(), os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func schedule(ctx context.Context, url, image string, command []string) error {
	c, err := client.Connect(ctx, client.Config{URL: url, Name: "scheduler"})
	if err != nil {
		return err
	}
	defer c.Close()
	var builds errgroup.Group
	builds.SetLimit(4) // at a time
	seen := map[messages.Platform]bool{}
	for node, err := range c.Nodes(ctx, messages.NodesRequest{}) {
		if err != nil {
			return err
		}
		for _, p := range node.Platforms {
			if !seen[p.Platform] {
				seen[p.Platform] = true
				builds.Go(func() error { return build(ctx, c, image, p.Platform, command) })
			}
		}
	}
	return builds.Wait()
}

// build runs one build to its end, wherever its platform is to be had.
func build(ctx context.Context, c *client.Client, image string, p messages.Platform, command []string) error {
	policy := messages.Policy{MaxAttempts: 3, RetryExit: true, Backoff: messages.Backoff{Max: messages.Duration(time.Second)}}
	spec := messages.Spec{Image: image, Platform: &p, Args: command}
	record, err := c.Run(ctx, messages.Job{ID: client.NewID(), Op: messages.OpRun, Spec: &spec, Policy: policy})
	if err != nil {
		return fmt.Errorf("build for %s: %w", p, err)
	}
	fmt.Printf("build for %s: %s on %s at start %d\n", p, record.State, record.Node, record.Starts)
	return nil
}
