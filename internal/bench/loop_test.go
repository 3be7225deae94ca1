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
// command, outcome, last word, deletion) on the memory runtime with the bare
// NATS operations that it is made of: for every job as many publishes, writes of
// keys and requests, and nothing else. Both take turns on one server.
func BenchmarkLoop(b *testing.B) {
	for _, sync := range []string{"always", "2m"} {
		for _, nodes := range []int{1, 100, 1000} {
			b.Run(fmt.Sprintf("sync=%s/nodes=%d", sync, nodes), func(b *testing.B) {
				l := newLoop(b, sync, nodes)
				l.shunt(b, "warm", loopJobs/4)
				l.bare(b, "warm", loopJobs/4)
				var shunt, bare time.Duration
				n := 0
				for b.Loop() {
					for range loopRounds {
						n++
						shunt += l.shunt(b, fmt.Sprint("j", n), loopJobs)
						bare += l.bare(b, fmt.Sprint("j", n), loopJobs)
					}
				}
				jobs := float64(n * loopJobs)
				b.ReportMetric(jobs/shunt.Seconds(), "jobs/s")
				b.ReportMetric(jobs/bare.Seconds(), "bare/s")
				b.ReportMetric(bare.Seconds()/shunt.Seconds(), "ratio")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// loop is a fleet of memory nodes on a NATS server of this process.
type loop struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	root   messages.Root
	subs   chan string // ids of ended jobs
	bucket jetstream.KeyValue
}

func newLoop(b *testing.B, sync string, nodes int) *loop {
	b.Helper()
	quiet := slog.New(slog.DiscardHandler)
	server, err := natsserver.Start(natsserver.Config{Listen: "127.0.0.1:0", StoreDir: b.TempDir(), Sync: sync, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	l := &loop{root: messages.DefaultRoot, subs: make(chan string, 4*loopJobs)}
	connect := func(name string) *natsbus.Bus {
		conn, err := natsbus.Connect(b.Context(), natsbus.Config{URL: server.ClientURL(), Name: name, Logger: quiet})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close(context.Background()) })
		return conn
	}
	p, err := placer.Start(b.Context(), placer.Config{
		ID: "p1", Bus: connect("placer"), Root: l.root, Layout: bus.NewLayout(l.root, 1, bus.DefaultBudget), Version: "0.0.0", Logger: quiet,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Stop(context.Background()) })
	startNodes(b, nodes, connect, quiet)
	l.listen(b, server.ClientURL())
	return l
}

// startNodes starts workers; some share a connection, as their number is not
// what is measured.
func startNodes(b *testing.B, nodes int, connect func(string) *natsbus.Bus, quiet *slog.Logger) {
	b.Helper()
	linux := messages.Platform{OS: messages.Linux, Arch: "amd64"}
	images := memory.StaticImages{"bench/true:1": {{Platform: linux, Entrypoint: []string{"true"}}}}
	var shared *natsbus.Bus
	for i := range nodes {
		if i%50 == 0 {
			shared = connect(fmt.Sprint("workers ", i))
		}
		machine, err := memory.NewMachine(memory.Config{Platforms: []messages.Platform{linux}, Images: images})
		if err != nil {
			b.Fatal(err)
		}
		composite, err := runtime.NewComposite(runtime.CompositeConfig{Primary: runtime.Member{Runtime: memory.New(machine)}, Resolver: images, Logger: quiet})
		if err != nil {
			b.Fatal(err)
		}
		w, err := worker.Start(b.Context(), worker.Config{
			Node: fmt.Sprintf("n%04d", i), Bus: shared, Runtime: composite, Journal: memjournal.New(), Version: "0.0.0", Logger: quiet,
			Host: messages.Host{OS: messages.Linux, Arch: "amd64"},
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { w.Stop(context.Background()) })
	}
}

// listen hears the last words, and answers the bare requests.
func (l *loop) listen(b *testing.B, url string) {
	b.Helper()
	var err error
	if l.nc, err = nats.Connect(url); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(l.nc.Close)
	if l.js, err = jetstream.New(l.nc); err != nil {
		b.Fatal(err)
	}
	if _, err := l.nc.Subscribe(l.root.Done("*"), func(m *nats.Msg) { l.subs <- m.Subject }); err != nil {
		b.Fatal(err)
	}
	answering, err := nats.Connect(url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(answering.Close)
	if _, err := answering.Subscribe("bare.cmd", func(m *nats.Msg) { _ = m.Respond(m.Data) }); err != nil {
		b.Fatal(err)
	}
	if err := answering.Flush(); err != nil {
		b.Fatal(err)
	}
	if _, err := l.js.CreateStream(b.Context(), jetstream.StreamConfig{Name: "BARE", Subjects: []string{"bare.stream.>"}, AllowDirect: true}); err != nil {
		b.Fatal(err)
	}
	if l.bucket, err = l.js.CreateKeyValue(b.Context(), jetstream.KeyValueConfig{Bucket: "BAREKV"}); err != nil {
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

// bare does the same operations without shunt: three publishes (intake, outcome,
// last word), a key made and deleted, a request; messages of the same size.
func (l *loop) bare(b *testing.B, prefix string, jobs int) time.Duration {
	b.Helper()
	began := time.Now()
	var g errgroup.Group
	g.SetLimit(loopAtOnce)
	ctx := b.Context()
	body := make([]byte, 512)
	for i := range jobs {
		g.Go(func() error {
			id := fmt.Sprintf("%s-%d", prefix, i)
			if _, err := l.js.Publish(ctx, "bare.stream.job."+id, body); err != nil {
				return err
			}
			revision, err := l.bucket.Create(ctx, id, body)
			if err != nil {
				return err
			}
			if _, err := l.nc.RequestWithContext(ctx, "bare.cmd", body); err != nil {
				return err
			}
			for _, kind := range []string{"outcome", "done"} {
				if _, err := l.js.Publish(ctx, "bare.stream."+kind+"."+id, body); err != nil {
					return err
				}
			}
			return l.bucket.Delete(ctx, id, jetstream.LastRevision(revision))
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
