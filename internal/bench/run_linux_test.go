package bench

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/managed"
)

// The size of a measurement: in each round every contestant has one block, a
// number of jobs of which some are always under way at once.
const (
	rounds = 8
	warmUp = 8
)

// blocks are the jobs under way at once, and the jobs of a block. With eight at
// once a block is longer, since it begins and ends with fewer.
var blocks = []struct{ atOnce, jobs int }{{1, 8}, {8, 16}}

// runner is one way to have a container run. run returns when its caller may go
// on; known is when it knew how the container ended. settle returns when
// nothing is left of all containers.
type runner interface {
	run(ctx context.Context, id string) (known time.Time, err error)
	settle(ctx context.Context) error
}

type contestant struct {
	name string
	runner
}

// BenchmarkRun compares a run job through shunt with the bare containerd client.
// One iteration is a whole measurement of all contestants.
func BenchmarkRun(b *testing.B) {
	all := contestants(b)
	for _, c := range all {
		measure(b, c, warmUp, 4) // the pull, and the start of what starts once
	}
	var tables []table
	for _, block := range blocks {
		b.Run(fmt.Sprintf("at=%d", block.atOnce), func(b *testing.B) {
			results := make([]samples, len(all))
			turn := 0
			for b.Loop() {
				for range rounds {
					for i := range all { // another one begins every time
						i = (i + turn) % len(all)
						results[i].add(measure(b, all[i], block.jobs, block.atOnce))
					}
					turn++
				}
			}
			t := table{atOnce: block.atOnce, contestants: all, results: results}
			t.report(b)
			tables = append(tables, t)
		})
	}
	for _, t := range tables {
		t.print(os.Stdout)
	}
}

// contestants sets everything up. The first one is what the others are measured
// against.
func contestants(b *testing.B) []contestant {
	b.Helper()
	tools, bin := testenv.Tools(b), testenv.Bin(b)
	worker := filepath.Join(bin, "worker")
	dir, err := os.MkdirTemp("", "shunt-bench-")
	if err != nil {
		b.Fatal(err)
	}
	daemon, err := managed.Start(b.Context(), managed.Config{StateDir: dir, Tools: tools, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { end(b, daemon, dir) })
	image := serveImage(b)
	client := newBare(b, daemon.Address(), image)
	return []contestant{
		{"bare, shunt's logger", client.withLogger(worker, b.TempDir())},
		{"bare, plain file", client.withFile(b.TempDir())},
		{"shunt, sync always", newFleet(b, bin, tools, daemon.Address(), "always", image)},
		{"shunt, sync 1s", newFleet(b, bin, tools, daemon.Address(), "1s", image)},
	}
}

// serveImage puts an image that runs `true` into a registry of this process.
func serveImage(b *testing.B) string {
	b.Helper()
	registry, err := toybox.Serve("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { registry.Close() })
	image, err := toybox.Image(testenv.Toybox(b), toybox.Linux(goruntime.GOARCH), toybox.WithEntrypoint("true"))
	if err != nil {
		b.Fatal(err)
	}
	ref, err := registry.Push(b.Context(), "bench/true:1", image)
	if err != nil {
		b.Fatal(err)
	}
	return ref
}

// end stops the containerd, whose containers are gone by now.
func end(b *testing.B, daemon *managed.Containerd, dir string) {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if err := daemon.Shutdown(ctx); err != nil {
		b.Error(err)
	}
	os.RemoveAll(filepath.Dir(daemon.Address()))
	os.RemoveAll(dir)
}

// patience bounds one block.
const patience = 2 * time.Minute

var lastID atomic.Int64

// nextID is the name of a new container or job.
func nextID() string { return fmt.Sprintf("run-%d", lastID.Add(1)) }

// measure runs one block.
func measure(b *testing.B, c contestant, jobs, atOnce int) samples {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	s := samples{jobs: jobs, known: make([]time.Duration, jobs), whole: make([]time.Duration, jobs)}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	begun := time.Now()
	for i := range jobs {
		group.Go(func() error {
			begun := time.Now()
			known, err := c.run(ctx, nextID())
			s.whole[i], s.known[i] = time.Since(begun), known.Sub(begun)
			return err
		})
	}
	err := group.Wait()
	if err == nil {
		err = c.settle(b.Context())
	}
	if err != nil {
		b.Fatalf("%s: %v", c.name, err)
	}
	s.spent = time.Since(begun)
	return s
}
