package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// floor does with NATS' own client what a job needs of the bus, and nothing
// else. Its streams and bucket are made like shunt's, its messages have the sizes
// and headers of shunt's, and as many jobs are under way.
//
// What is written: three publishes (intake, outcome, last word), a key made and
// deleted, and a request that is answered. With reading there is also what is
// read of them, without which nothing would come of a job: the intake and the
// outcome are consumed and acknowledged, changes of the bucket are watched, the
// last word is heard.
type floor struct {
	root   messages.Root
	nc     *nats.Conn // of whoever writes
	js     jetstream.JetStream
	bucket jetstream.KeyValue

	reads bool
	acked sync.WaitGroup // messages that were sent and not yet acknowledged, when it reads
	heard atomic.Int64
}

// The sizes of a job's messages in this benchmark, in bytes.
const (
	jobSize     = 70
	commandSize = 120
	acceptSize  = 170
	outcomeSize = 480
	recordSize  = 520
	lastSize    = 1000
)

// newFloor makes the streams and listens. It is the placer and the worker on
// connections of their own, as these have.
func newFloor(b *testing.B, root messages.Root, url string, connect func(string) *natsbus.Bus, reads bool) *floor {
	b.Helper()
	if err := connect(string(root)).Ensure(b.Context(), bus.NewLayout(root, 1, bus.DefaultBudget)); err != nil {
		b.Fatal(err)
	}
	f := &floor{root: root, reads: reads}
	f.nc, f.js = dial(b, url)
	var err error
	if f.bucket, err = f.js.KeyValue(b.Context(), root.Stream(messages.BucketJobs)); err != nil {
		b.Fatal(err)
	}
	worker, _ := dial(b, url)
	answer := make([]byte, acceptSize)
	if _, err := worker.Subscribe(root.Command("n"), func(m *nats.Msg) { _ = m.Respond(answer) }); err != nil {
		b.Fatal(err)
	}
	if err := worker.Flush(); err != nil {
		b.Fatal(err)
	}
	if reads {
		f.read(b, url)
	}
	return f
}

func dial(b *testing.B, url string) (*nats.Conn, jetstream.JetStream) {
	b.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		b.Fatal(err)
	}
	return nc, js
}

// read consumes, watches and listens as a placer and a scheduler do.
func (f *floor) read(b *testing.B, url string) {
	b.Helper()
	nc, js := dial(b, url)
	for _, stream := range []string{messages.StreamIntake, messages.StreamOutcomes} {
		c, err := js.CreateOrUpdateConsumer(b.Context(), f.root.Stream(stream), jetstream.ConsumerConfig{
			Durable: "readers", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 1000,
		})
		if err != nil {
			b.Fatal(err)
		}
		running, err := c.Consume(func(m jetstream.Msg) {
			_ = m.Ack() // fails only when the benchmark has
			f.acked.Done()
		}, jetstream.PullMaxMessages(256))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(running.Stop)
	}
	kv, err := js.KeyValue(b.Context(), f.root.Stream(messages.BucketJobs))
	if err != nil {
		b.Fatal(err)
	}
	changes, err := kv.WatchAll(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for range changes.Updates() {
			f.heard.Add(1)
		}
	}()
	if _, err := nc.Subscribe(f.root.Done(messages.Any), func(*nats.Msg) { f.heard.Add(1) }); err != nil {
		b.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		b.Fatal(err)
	}
}

// block does what a block of jobs needs, and says how long that took.
func (f *floor) block(b *testing.B, prefix string, jobs int) time.Duration {
	b.Helper()
	began := time.Now()
	var g errgroup.Group
	g.SetLimit(loopAtOnce)
	for i := range jobs {
		g.Go(func() error { return f.job(b.Context(), fmt.Sprintf("%s-%d", prefix, i)) })
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	f.acked.Wait()
	return time.Since(began)
}

// job is one job's worth of operations, each after the one before.
func (f *floor) job(ctx context.Context, id string) error {
	if f.reads {
		f.acked.Add(2)
	}
	if _, err := f.js.Publish(ctx, f.root.Job(id), make([]byte, jobSize)); err != nil {
		return err
	}
	revision, err := f.bucket.Create(ctx, id, make([]byte, recordSize))
	if err != nil {
		return err
	}
	if _, err := f.nc.RequestWithContext(ctx, f.root.Command("n"), make([]byte, commandSize)); err != nil {
		return err
	}
	if _, err := f.js.Publish(ctx, f.root.Outcome("n", id), make([]byte, outcomeSize), jetstream.WithMsgID("n/"+id+"/1/2")); err != nil {
		return err
	}
	if _, err := f.js.Publish(ctx, f.root.Done(id), make([]byte, lastSize), jetstream.WithExpectLastSequencePerSubject(0)); err != nil {
		return err
	}
	return f.bucket.Purge(ctx, id, jetstream.LastRevision(revision), jetstream.PurgeTTL(time.Hour))
}
