package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"

	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/logger"
)

// bareNamespace is containerd's, for the bare client.
const bareNamespace = "shunt-bench"

// bare runs containers as somebody would who has containerd's client and no
// shunt: as its getting-started guide does it, with the output kept in a file.
type bare struct {
	client *client.Client
	image  client.Image
	output func(id string) (cio.Creator, error)
	step   func(phase string) // told of each part that is done; may be nil
}

func (r *bare) did(phase string) {
	if r.step != nil {
		r.step(phase)
	}
}

// newBare connects to containerd and pulls and unpacks the image, in a
// namespace of its own.
func newBare(b *testing.B, address, ref string) *bare {
	b.Helper()
	c, err := client.New(address, client.WithDefaultNamespace(bareNamespace))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		c.Close()
		os.Remove(filepath.Join("/run/containerd/runc", bareNamespace)) // runc's, and empty
	})
	hosts := docker.ConfigureDefaultRegistries(docker.WithPlainHTTP(docker.MatchLocalhost))
	image, err := c.Pull(b.Context(), ref, client.WithPullUnpack,
		client.WithResolver(docker.NewResolver(docker.ResolverOptions{Hosts: hosts})))
	if err != nil {
		b.Fatal(err)
	}
	return &bare{client: c, image: image}
}

// withLogger keeps the output with shunt's own logger, one process for each
// container: like for like with what shunt does.
func (r bare) withLogger(program, dir string) *bare {
	r.output = func(id string) (cio.Creator, error) {
		log := filepath.Join(dir, id)
		if err := logger.Prepare(log, logger.Settings{}); err != nil {
			return nil, err
		}
		return cio.BinaryIO(program, map[string]string{"log": log}), nil
	}
	return &r
}

// withFile lets the shim write the output into a plain file: the least that
// keeps it, without its time or stream.
func (r bare) withFile(dir string) *bare {
	r.output = func(id string) (cio.Creator, error) { return cio.LogFile(filepath.Join(dir, id+".log")), nil }
	return &r
}

// run runs one container from nothing to nothing, under the profile that shunt
// has its containers under.
func (r *bare) run(ctx context.Context, id string) (known time.Time, err error) {
	ctx = namespaces.WithNamespace(ctx, bareNamespace)
	output, err := r.output(id)
	if err != nil {
		return known, err
	}
	container, err := r.client.NewContainer(ctx, id,
		client.WithNewSnapshot(id, r.image),
		client.WithNewSpec(oci.WithImageConfig(r.image), seccomp.WithDefaultProfile()))
	if err != nil {
		return known, err
	}
	r.did("container made")
	known, err = r.runTask(ctx, container, output)
	if e := container.Delete(ctx, client.WithSnapshotCleanup); err == nil {
		err = e
	}
	r.did("container deleted")
	return known, err
}

func (r *bare) runTask(ctx context.Context, container client.Container, output cio.Creator) (known time.Time, err error) {
	task, err := container.NewTask(ctx, output)
	if err != nil {
		return known, err
	}
	r.did("task made")
	defer func() {
		if _, e := task.Delete(ctx, client.WithProcessKill); err == nil {
			err = e
		}
		r.did("task deleted")
	}()
	exited, err := task.Wait(ctx)
	if err != nil {
		return known, err
	}
	if err := task.Start(ctx); err != nil {
		return known, err
	}
	r.did("task started")
	status := <-exited
	r.did("program runs")
	code, _, err := status.Result()
	if err == nil && code != 0 {
		err = fmt.Errorf("container %s ended with %d, want 0", container.ID(), code)
	}
	return time.Now(), err
}

// settle has nothing to wait for: run clears up.
func (r *bare) settle(context.Context) error { return nil }
