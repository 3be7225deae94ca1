package census

import (
	"context"

	"github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
)

// containerd counts what containerd has records of.
func (c Census) containerd(ctx context.Context, p Place) error {
	if p.Address == "" {
		return nil
	}
	cl, err := client.New(p.Address, client.WithDefaultNamespace(p.Namespace))
	if err != nil {
		return err
	}
	defer cl.Close()
	ctx = namespaces.WithNamespace(ctx, p.Namespace)
	for _, count := range []func(context.Context, *client.Client) error{c.records, c.content, c.snapshots} {
		if err := count(ctx, cl); err != nil {
			return err
		}
	}
	return nil
}

func (c Census) records(ctx context.Context, cl *client.Client) error {
	containers, err := cl.ContainerService().List(ctx)
	if err != nil {
		return err
	}
	for _, i := range containers {
		c.add("container", i.ID)
	}
	running, err := cl.TaskService().List(ctx, &tasks.ListTasksRequest{})
	if err != nil {
		return err
	}
	for _, i := range running.Tasks {
		c.add("task", i.ID)
	}
	leases, err := cl.LeasesService().List(ctx)
	if err != nil {
		return err
	}
	for _, i := range leases {
		c.add("lease", i.ID)
	}
	images, err := cl.ImageService().List(ctx)
	if err != nil {
		return err
	}
	for _, i := range images {
		c.add("image", i.Name)
	}
	return nil
}

func (c Census) content(ctx context.Context, cl *client.Client) error {
	ingests, err := cl.ContentStore().ListStatuses(ctx)
	if err != nil {
		return err
	}
	for _, i := range ingests {
		c.add("ingest", i.Ref)
	}
	return cl.ContentStore().Walk(ctx, func(i content.Info) error {
		c.add("content", i.Digest.String())
		return nil
	})
}

func (c Census) snapshots(ctx context.Context, cl *client.Client) error {
	return cl.SnapshotService("overlayfs").Walk(ctx, func(_ context.Context, i snapshots.Info) error {
		c.add("snapshot", i.Kind.String()+" "+i.Name)
		return nil
	})
}
