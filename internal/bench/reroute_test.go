package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// rerouteJobs is how many jobs, one after the other, are refused and go to a peer.
const rerouteJobs = 200

// BenchmarkReroute measures the time from a node's refusal of a job to its
// acceptance by the peer, on a bus with nothing else to do, beside one bare
// JetStream publish and one request. The two take turns, job by job.
func BenchmarkReroute(b *testing.B) {
	for _, sync := range []string{"always", "2m"} {
		b.Run("sync="+sync, func(b *testing.B) {
			r := newReroute(b, sync)
			r.job(b, "warm")
			var moved, floor []time.Duration
			n := 0
			for b.Loop() {
				for range rerouteJobs {
					n++
					moved = append(moved, r.job(b, fmt.Sprint("j", n)))
					floor = append(floor, r.bare(b, fmt.Sprint("b", n)))
				}
			}
			b.ReportMetric(milliseconds(quantile(moved, 0.5)), "reroute-p50-ms")
			b.ReportMetric(milliseconds(quantile(floor, 0.5)), "bare-p50-ms")
			b.ReportMetric(float64(quantile(moved, 0.5))/float64(quantile(floor, 0.5)), "of-bare")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// bareRoot has streams like the fleet's, which no placer reads.
const bareRoot = messages.Root("bare")

// reroute is a fleet of a node that refuses and one that accepts.
type reroute struct {
	root              messages.Root
	nc                *nats.Conn
	js                jetstream.JetStream
	refused, accepted chan time.Time
	done              chan string
}

func newReroute(b *testing.B, sync string) *reroute {
	b.Helper()
	url, connect, quiet := startPlacer(b, sync)
	r := &reroute{
		root: messages.DefaultRoot, refused: make(chan time.Time, 1), accepted: make(chan time.Time, 1), done: make(chan string, 1),
	}
	startNode(b, "win-1", connect("win-1"), messages.Platform{OS: messages.Windows, Arch: "amd64", OSVersion: "10.0.20348"}, quiet)
	startNode(b, "linux-1", connect("linux-1"), linux, quiet)
	if err := connect("bare").Ensure(b.Context(), bus.NewLayout(bareRoot, 1, bus.DefaultBudget)); err != nil {
		b.Fatal(err)
	}
	r.nc, r.js = dial(b, url)
	r.listen(b)
	return r
}

func (r *reroute) listen(b *testing.B) {
	b.Helper()
	worker, _ := dial(b, r.nc.ConnectedUrl())
	for subject, heard := range map[string]nats.MsgHandler{
		r.root.Event("win-1", messages.EventRefused):    func(*nats.Msg) { r.refused <- time.Now() },
		r.root.Event("linux-1", messages.EventAccepted): func(*nats.Msg) { r.accepted <- time.Now() },
		r.root.Done(messages.Any):                       func(m *nats.Msg) { r.done <- m.Subject },
	} {
		if _, err := r.nc.Subscribe(subject, heard); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := worker.Subscribe(bareRoot.Command("n"), func(m *nats.Msg) { _ = m.Respond(make([]byte, acceptSize)) }); err != nil {
		b.Fatal(err)
	}
	for _, nc := range []*nats.Conn{r.nc, worker} {
		if err := nc.Flush(); err != nil {
			b.Fatal(err)
		}
	}
}

// job is how long it took from the refusal to the acceptance, once the job is
// over.
func (r *reroute) job(b *testing.B, id string) time.Duration {
	b.Helper()
	data := fmt.Appendf(nil, `{"v":1,"id":%q,"op":"run","target":"win-1","spec":{"image":"bench/true:1"}}`, id)
	if _, err := r.js.Publish(b.Context(), r.root.Job(id), data); err != nil {
		b.Fatal(err)
	}
	refused := <-r.refused
	accepted := <-r.accepted
	<-r.done
	return accepted.Sub(refused)
}

// bare is one publish into a stream and one request.
func (r *reroute) bare(b *testing.B, id string) time.Duration {
	b.Helper()
	began := time.Now()
	if _, err := r.js.Publish(b.Context(), bareRoot.Outcome("n", id), make([]byte, outcomeSize)); err != nil {
		b.Fatal(err)
	}
	if _, err := r.nc.RequestWithContext(b.Context(), bareRoot.Command("n"), make([]byte, commandSize)); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}
