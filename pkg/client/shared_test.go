package client_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

var sharing atomic.Bool

// shared is the fleet of the examples, which are given nothing.
var shared = sync.OnceValues(func() (*fleet, error) {
	sharing.Store(true)
	dir, err := os.MkdirTemp("", "shunt-examples-")
	if err != nil {
		return nil, err
	}
	f, err := newFleet(dir)
	if err != nil {
		return f, err
	}
	c, err := client.Connect(context.Background(), client.Config{URL: f.url()})
	if err != nil {
		return f, err
	}
	defer c.Close()
	await(context.Background(), c, "linux-1", messages.NodeAlive)
	return f, nil
})

// url is where that fleet's NATS server is.
func url() string {
	f, err := shared()
	if err != nil {
		fmt.Println(err)
		return ""
	}
	return f.url()
}

// connect connects an example to a fleet of one node, linux-1, whose runtime is
// the memory runtime. It has two images: team/hello:1 says hello, and
// team/server:1 runs until it is stopped.
func connect() *client.Client {
	c, err := client.Connect(context.Background(), client.Config{URL: url()})
	if err != nil {
		fmt.Println(err)
	}
	return c
}

// serve runs a service of one replica on linux-1, and is its container's name.
func serve(ctx context.Context, c *client.Client, service string) string {
	job := messages.Job{
		ID: service + "-1", Service: service, Op: messages.OpRun, Kind: messages.KindService,
		Spec: &messages.Spec{Image: "team/server:1"},
	}
	for record, err := range c.SubmitAndWatch(ctx, job) {
		if err != nil || record.State.Ended() {
			fmt.Println(service, "does not run:", record.State, record.Reason, err)
		}
		if record.Healthy { // which is when it is up; it counts as running once its node has taken it on
			break
		}
	}
	return job.ContainerName()
}

// waits submits a job that waits for a node with an SSD, and returns when the
// placers say so.
func waits(ctx context.Context, c *client.Client, id string) {
	job := messages.Job{
		ID: id, Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1"},
		Requires: messages.Requires{Labels: map[string]string{"disk": "ssd"}},
	}
	if err := c.Submit(ctx, job); err != nil {
		fmt.Println(err)
		return
	}
	for listed := false; !listed && ctx.Err() == nil; {
		for record, err := range c.Jobs(ctx, messages.JobsRequest{}) {
			listed = listed || err == nil && record.Job.ID == id && record.Reason != ""
		}
	}
}

// visitor is a node that was there, and has left.
func visitor(ctx context.Context, c *client.Client, name string) string {
	f, err := shared()
	if err == nil {
		err = f.node(name)
	}
	if err != nil {
		fmt.Println(err)
		return name
	}
	await(ctx, c, name, messages.NodeAlive)
	f.nodes[name].worker.Stop(ctx)
	f.nodes[name].kill()
	await(ctx, c, name, messages.NodeLeft)
	return name
}

// await waits until the placer says that of a node.
func await(ctx context.Context, c *client.Client, name string, state messages.NodeState) {
	for found := false; !found && ctx.Err() == nil; {
		for node, err := range c.Nodes(ctx, messages.NodesRequest{}) {
			found = found || err == nil && node.Node == name && node.State == state
		}
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if sharing.Load() {
		if f, err := shared(); err == nil {
			f.close()
			_ = os.RemoveAll(f.dir)
		}
	}
	os.Exit(code)
}
