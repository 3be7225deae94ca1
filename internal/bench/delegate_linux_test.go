package bench

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd"
	"github.com/shunt-fleet/shunt/pkg/runtime/containerd/managed"
	"github.com/shunt-fleet/shunt/pkg/runtime/remote"
)

// The sizes of one block of each measurement.
const (
	statesAtATime = 200
	lifetimes     = 8
	floodLines    = 8 << 10
	floodWidth    = 1 << 10 // bytes of a line
)

// pipeMeasures are what is measured of a runtime. A stream's is its bytes; a
// call's has none, and a block is of several, each with its time.
var pipeMeasures = []struct {
	name  string
	bytes int
	block func(*pipeBench, runtime.Runtime) []time.Duration
}{
	{"state of a container", 0, (*pipeBench).states},
	{"create, start, wait, remove", 0, (*pipeBench).lives},
	{"a log of 8 MiB", floodLines * floodWidth, (*pipeBench).log},
	{"8 MiB of an exec's output", floodLines * floodWidth, (*pipeBench).exec},
}

// BenchmarkDelegate compares a containerd through `worker delegate` with the same
// one in the process. One iteration is a whole measurement of both.
func BenchmarkDelegate(b *testing.B) {
	p := newPipeBench(b)
	results := make([][2][]time.Duration, len(pipeMeasures))
	turn := 0
	for b.Loop() {
		for range rounds {
			for i, m := range pipeMeasures {
				for who := range 2 { // another one begins every time
					who = (who + turn) % 2
					results[i][who] = append(results[i][who], m.block(p, p.both[who])...)
				}
			}
			turn++
		}
	}
	b.ReportMetric(0, "ns/op")
	tw := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "\n\tin the process\tdelegate\tratio\t\n")
	for i, m := range pipeMeasures {
		own, far := quantile(results[i][0], 0.5), quantile(results[i][1], 0.5)
		if m.bytes == 0 {
			b.ReportMetric(float64(far)/float64(own), fmt.Sprintf("ratio-p50/%d", i))
			fmt.Fprintf(tw, "%s, p50\t%.2f ms\t%.2f ms\t%.2f\t\n", m.name, milliseconds(own), milliseconds(far), float64(far)/float64(own))
			continue
		}
		rate := func(d time.Duration) float64 { return float64(m.bytes) / 1e6 / d.Seconds() }
		b.ReportMetric(rate(far)/rate(own), fmt.Sprintf("ratio-MB/s/%d", i))
		fmt.Fprintf(tw, "%s\t%.0f MB/s\t%.0f MB/s\t%.2f\t\n", m.name, rate(own), rate(far), rate(far)/rate(own))
	}
	_ = tw.Flush()
}

// pipeBench is one containerd, reached in two ways, with a container that runs
// and one that has written much.
type pipeBench struct {
	*testing.B
	both      [2]runtime.Runtime // in the process, and through a delegate
	image     string
	runs, has runtime.ContainerID
}

func newPipeBench(b *testing.B) *pipeBench {
	b.Helper()
	tools, worker := testenv.Tools(b), filepath.Join(testenv.Bin(b), "worker")
	dir, err := os.MkdirTemp("", "shunt-bench-")
	must(b, err)
	quiet := slog.New(slog.DiscardHandler)
	daemon, err := managed.Start(b.Context(), managed.Config{StateDir: dir, Tools: tools, Logger: quiet})
	must(b, err)
	b.Cleanup(func() { end(b, daemon, dir) })
	own, err := containerd.New(b.Context(), containerd.Config{
		Address: daemon.Address(), StateDir: filepath.Join(dir, "containers"), LoggerPath: worker,
		CNIPlugins: []string{filepath.Join(tools, "cni")}, Logger: quiet,
	})
	must(b, err)
	b.Cleanup(func() { own.Close() })
	far, err := remote.New(remote.Config{Logger: quiet, Dial: remote.Command([]string{
		worker, "delegate", "--containerd", daemon.Address(), "--state-dir", dir, "--tools", tools, "--log-level", "error",
	}, quiet)})
	must(b, err)
	b.Cleanup(func() { far.Close() })
	ctx, cancel := context.WithTimeout(b.Context(), startWithin)
	defer cancel()
	must(b, far.Await(ctx))
	p := &pipeBench{B: b, both: [2]runtime.Runtime{own, far}, image: serveImage(b)}
	_, err = far.Pull(b.Context(), p.image, runtime.PullOptions{})
	must(b, err)
	p.runs = p.start(far, "sleep", "3600")
	p.has = p.start(far, "flood", fmt.Sprint(floodLines), fmt.Sprint(floodWidth))
	_, err = far.Wait(b.Context(), p.has)
	must(b, err)
	b.Cleanup(func() {
		ctx := context.WithoutCancel(b.Context())
		for _, id := range []runtime.ContainerID{p.runs, p.has} {
			must(b, own.Remove(ctx, id, runtime.RemoveOptions{Force: true}))
		}
		must(b, own.Discard(ctx))
	})
	return p
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (p *pipeBench) start(rt runtime.Runtime, argv ...string) runtime.ContainerID {
	p.Helper()
	id := runtime.ContainerID{Service: nextID()}
	must(p.B, rt.Create(p.Context(), id, &messages.Spec{Image: p.image, Entrypoint: argv, Network: "none"}, runtime.CreateOptions{}))
	must(p.B, rt.Start(p.Context(), id))
	return id
}

func (p *pipeBench) states(rt runtime.Runtime) []time.Duration {
	return each(statesAtATime, func() {
		_, err := rt.State(p.Context(), p.runs)
		must(p.B, err)
	})
}

func (p *pipeBench) lives(rt runtime.Runtime) []time.Duration {
	return each(lifetimes, func() {
		id := p.start(rt, "true")
		_, err := rt.Wait(p.Context(), id)
		must(p.B, err)
		must(p.B, rt.Remove(p.Context(), id, runtime.RemoveOptions{}))
	})
}

func (p *pipeBench) log(rt runtime.Runtime) []time.Duration {
	return each(1, func() {
		n := 0
		for entry, err := range rt.Logs(p.Context(), p.has, runtime.LogOptions{Tail: -1}) {
			must(p.B, err)
			n += len(entry.Message)
		}
		p.whole(n)
	})
}

func (p *pipeBench) exec(rt runtime.Runtime) []time.Duration {
	cmd := []string{"flood", fmt.Sprint(floodLines), fmt.Sprint(floodWidth)}
	return each(1, func() {
		n := 0
		for event, err := range rt.ExecStream(p.Context(), p.runs, runtime.ExecOptions{Cmd: cmd}) {
			must(p.B, err)
			n += len(event.Data)
		}
		p.whole(n)
	})
}

// whole sees that nothing was lost.
func (p *pipeBench) whole(n int) {
	p.Helper()
	if n != floodLines*floodWidth {
		p.Fatalf("%d bytes have come, want %d", n, floodLines*floodWidth)
	}
}

// each times each of n calls.
func each(n int, call func()) []time.Duration {
	took := make([]time.Duration, n)
	for i := range took {
		begun := time.Now()
		call()
		took[i] = time.Since(begun)
	}
	return took
}
