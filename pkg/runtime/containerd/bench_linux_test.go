package containerd_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/contrib/seccomp"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
)

// BenchmarkRun is a whole short run of one image, side by side: through the
// Runtime, and through containerd's own client.
func BenchmarkRun(b *testing.B) {
	bench := newBench(b)
	for _, network := range []string{messages.NetworkNone, messages.NetworkDefault} {
		b.Run("shunt-network-"+network, func(b *testing.B) {
			spec := bench.spec("true")
			spec.Network = network
			for b.Loop() {
				runOnce(b, bench, spec)
			}
		})
	}
	bare, err := client.New(bench.cfg.Address)
	bench.must(err)
	defer bare.Close()
	// A file is less than shunt promises of a log; the logger is the same work.
	b.Run("bare-client-file", func(b *testing.B) {
		log := cio.LogFile(filepath.Join(b.TempDir(), "log"))
		for n := 0; b.Loop(); n++ {
			runBare(b, bench, bare, fmt.Sprintf("file-%d-%d", b.N, n), log)
		}
	})
	b.Run("bare-client-logger", func(b *testing.B) {
		log := cio.BinaryIO(bench.cfg.LoggerPath, map[string]string{"log": b.TempDir()})
		for n := 0; b.Loop(); n++ {
			runBare(b, bench, bare, fmt.Sprintf("logger-%d-%d", b.N, n), log)
		}
	})
	b.Run("bare-client-logger-seccomp", func(b *testing.B) {
		log := cio.BinaryIO(bench.cfg.LoggerPath, map[string]string{"log": b.TempDir()})
		for n := 0; b.Loop(); n++ {
			runBare(b, bench, bare, fmt.Sprintf("seccomp-%d-%d", b.N, n), log, seccomp.WithDefaultProfile())
		}
	})
}

func runOnce(b *testing.B, bench *bench, spec *messages.Spec) {
	id := bench.id()
	if err := bench.rt.Create(b.Context(), id, spec, runtime.CreateOptions{}); err != nil {
		b.Fatal(err)
	}
	if err := bench.rt.Start(b.Context(), id); err != nil {
		b.Fatal(err)
	}
	if out, err := bench.rt.WaitOutcome(b.Context(), id, messages.WaitNotRunning); err != nil || out.ExitCode != 0 {
		b.Fatal(out, err)
	}
	if err := bench.rt.Remove(b.Context(), id, runtime.RemoveOptions{}); err != nil {
		b.Fatal(err)
	}
}

func runBare(b *testing.B, bench *bench, c *client.Client, id string, log cio.Creator, more ...oci.SpecOpts) {
	ctx := namespaces.WithNamespace(b.Context(), bench.cfg.Namespace)
	image, err := c.GetImage(ctx, bench.image)
	if err != nil {
		b.Fatal(err)
	}
	container, err := c.NewContainer(ctx, id, client.WithNewSnapshot(id, image),
		client.WithNewSpec(append([]oci.SpecOpts{oci.WithImageConfig(image), oci.WithProcessArgs("true")}, more...)...))
	if err != nil {
		b.Fatal(err)
	}
	task, err := container.NewTask(ctx, log)
	if err != nil {
		b.Fatal(err)
	}
	exited, err := task.Wait(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if err := task.Start(ctx); err != nil {
		b.Fatal(err)
	}
	if status := <-exited; status.Error() != nil || status.ExitCode() != 0 {
		b.Fatal(status)
	}
	if _, err := task.Delete(ctx); err != nil {
		b.Fatal(err)
	}
	if err := container.Delete(ctx, client.WithSnapshotCleanup); err != nil {
		b.Fatal(err)
	}
}
