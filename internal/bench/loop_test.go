package bench

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
	"github.com/shunt-fleet/shunt/internal/placer"
	"github.com/shunt-fleet/shunt/internal/worker"
	"github.com/shunt-fleet/shunt/internal/worker/journal/memjournal"
	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
)

// The size of a loop measurement: jobs of a block, and how many are always
// under way.
const (
	loopJobs   = 2000
	loopAtOnce = 64
	loopRounds = 3
)

// BenchmarkLoop compares the whole durable loop of a job (intake, record,
// command, outcome, last word, deletion) on the memory runtime with two floors:
// the bare NATS operations that write what it writes, and these with what must
// be read of them. All three take turns on one server.
func BenchmarkLoop(b *testing.B) {
	for _, sync := range []string{"always", "2m"} {
		for _, nodes := range []int{1, 100, 1000} {
			b.Run(fmt.Sprintf("sync=%s/nodes=%d", sync, nodes), func(b *testing.B) {
				l := newLoop(b, sync, nodes)
				l.shunt(b, "warm", loopJobs/4)
				l.writes.block(b, "warm", loopJobs/4)
				l.reads.block(b, "warm", loopJobs/4)
				var shunt, writes, reads time.Duration
				n := 0
				for b.Loop() {
					for range loopRounds {
						n++
						shunt += l.shunt(b, fmt.Sprint("j", n), loopJobs)
						writes += l.writes.block(b, fmt.Sprint("j", n), loopJobs)
						reads += l.reads.block(b, fmt.Sprint("j", n), loopJobs)
					}
				}
				jobs := float64(n * loopJobs)
				b.ReportMetric(jobs/shunt.Seconds(), "jobs/s")
				b.ReportMetric(jobs/writes.Seconds(), "written/s")
				b.ReportMetric(jobs/reads.Seconds(), "read/s")
				b.ReportMetric(writes.Seconds()/shunt.Seconds(), "of-written")
				b.ReportMetric(reads.Seconds()/shunt.Seconds(), "of-read")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// loop is a fleet of memory nodes on a NATS server of this process.
type loop struct {
	js   jetstream.JetStream
	root messages.Root
	subs chan string // subjects of last words

	writes, reads *floor
}

func newLoop(b *testing.B, sync string, nodes int) *loop {
	b.Helper()
	url, connect, quiet := startPlacer(b, sync)
	l := &loop{root: messages.DefaultRoot, subs: make(chan string, 4*loopJobs)}
	startNodes(b, nodes, connect, quiet)
	l.listen(b, url)
	l.writes = newFloor(b, "bare", url, connect, false)
	l.reads = newFloor(b, "read", url, connect, true)
	return l
}

// startPlacer starts a NATS server and a placer in this process, and gives how to
// connect to the server.
func startPlacer(b *testing.B, sync string) (url string, connect func(name string) *natsbus.Bus, quiet *slog.Logger) {
	b.Helper()
	quiet = slog.New(slog.DiscardHandler)
	server, err := natsserver.Start(natsserver.Config{Listen: "127.0.0.1:0", StoreDir: b.TempDir(), Sync: sync, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	connect = func(name string) *natsbus.Bus {
		conn, err := natsbus.Connect(b.Context(), natsbus.Config{URL: server.ClientURL(), Name: name, Logger: quiet})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
	p, err := placer.Start(b.Context(), placer.Config{
		ID: "p1", Bus: connect("placer"), Root: messages.DefaultRoot,
		Layout: bus.NewLayout(messages.DefaultRoot, 1, bus.DefaultBudget), Version: "0.0.0", Logger: quiet,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Stop(context.Background()) })
	return server.ClientURL(), connect, quiet
}

// imageDigest spares the memory runtime to make one up for each job.
const imageDigest = "sha256:7d1f1f1e6f2b8b1f3f7a4a5d2c9e0b8a6f4d3c2b1a09182736455463728190ab"

// images is what the nodes' image is made for.
var images = memory.StaticImages{"bench/true:1": {{Platform: linux, Entrypoint: []string{"true"}, Digest: imageDigest}}}

var linux = messages.Platform{OS: messages.Linux, Arch: "amd64"}

// startNodes starts workers; some share a connection, as their number is not
// what is measured.
func startNodes(b *testing.B, nodes int, connect func(string) *natsbus.Bus, quiet *slog.Logger) {
	b.Helper()
	var shared *natsbus.Bus
	for i := range nodes {
		if i%50 == 0 {
			shared = connect(fmt.Sprint("workers ", i))
		}
		startNode(b, fmt.Sprintf("n%04d", i), shared, linux, quiet)
	}
}

// startNode starts a worker whose machine runs one platform.
func startNode(b *testing.B, name string, conn bus.Bus, platform messages.Platform, quiet *slog.Logger) {
	b.Helper()
	machine, err := memory.NewMachine(memory.Config{Platforms: []messages.Platform{platform}, Images: images})
	if err != nil {
		b.Fatal(err)
	}
	composite, err := runtime.NewComposite(runtime.CompositeConfig{Primary: runtime.Member{Runtime: memory.New(machine)}, Resolver: images, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	w, err := worker.Start(b.Context(), worker.Config{
		Node: name, Bus: conn, Runtime: composite, Journal: memjournal.New(), Version: "0.0.0", Logger: quiet,
		Host: messages.Host{OS: platform.OS, Arch: platform.Arch},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { w.Stop(context.Background()) })
}

// listen hears the last words.
func (l *loop) listen(b *testing.B, url string) {
	b.Helper()
	nc, js := dial(b, url)
	l.js = js
	if _, err := nc.Subscribe(l.root.Done(messages.Any), func(m *nats.Msg) { l.subs <- m.Subject }); err != nil {
		b.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		b.Fatal(err)
	}
}

// shunt has a block of jobs done, and says how long that took.
func (l *loop) shunt(b *testing.B, prefix string, jobs int) time.Duration {
	b.Helper()
	began := time.Now()
	free := make(chan struct{}, loopAtOnce)
	for range loopAtOnce {
		free <- struct{}{}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range jobs {
			<-l.subs
			free <- struct{}{}
		}
	}()
	var g errgroup.Group
	g.SetLimit(loopAtOnce)
	for i := range jobs {
		<-free
		g.Go(func() error {
			id := fmt.Sprintf("%s-%d", prefix, i)
			data := fmt.Appendf(nil, `{"v":1,"id":%q,"op":"run","spec":{"image":"bench/true:1"}}`, id)
			_, err := l.js.Publish(b.Context(), l.root.Job(id), data)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	<-ended
	return time.Since(began)
}
