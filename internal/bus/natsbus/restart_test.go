package natsbus_test

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

const patience = time.Minute

// TestServerRestart ends the server and starts it again on its port and store:
// everything goes on by itself, and what was acknowledged is there.
func TestServerRestart(t *testing.T) {
	cfg := natsserver.Config{StoreDir: t.TempDir()}
	server, err := natsserver.Start(withListen(cfg, "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	url := server.ClientURL()
	worker, placer := connect(t, url), connect(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	ensure(ctx, t, placer)

	_, err = worker.Serve(bus.Service{Name: "echo", Version: "1.0.0", Endpoints: []bus.Endpoint{
		{Name: "echo", Subject: "echo", Handler: func(r bus.Request) { _ = r.Respond(r.Message()) }}}})
	must(t, err)
	heard := make(chan bus.Message, 100)
	_, err = placer.Subscribe("news", func(m bus.Message) { heard <- m })
	must(t, err)
	taken := make(chan bus.Delivery, 100)
	_, err = placer.Consume(ctx, bus.Consumer{Stream: "SHUNT_INTAKE", Name: "c"}, func(d bus.Delivery) { taken <- d })
	must(t, err)
	k := placer.Bucket("SHUNT_JOBS")
	revisions := map[string]uint64{}
	for _, key := range []string{"stays", "goes"} {
		revisions[key], err = k.Create(ctx, key, []byte("1"))
		must(t, err)
	}
	changes := watch(ctx, placer.Bucket("SHUNT_JOBS"))
	until(t, changes, "current")
	_, err = worker.Append(ctx, bus.Message{Subject: "shunt.done.x", Data: []byte("kept")})
	must(t, err)

	stopServer(t, server)
	await(t, func() bool { up, _ := worker.Connection(); return !up })
	await(t, func() bool { up, _ := placer.Connection(); return !up })
	must(t, wantUnavailable(worker.Publish(ctx, bus.Message{Subject: "news"})))
	_, err = worker.Append(ctx, bus.Message{Subject: "shunt.done.y"})
	must(t, wantUnavailable(err))
	_, err = worker.Request(ctx, bus.Message{Subject: "echo"})
	must(t, wantUnavailable(err))

	server, err = natsserver.Start(withListen(cfg, hostOf(t, url)))
	must(t, err)
	t.Cleanup(func() { stopServer(t, server) })
	await(t, func() bool { up, _ := worker.Connection(); return up })
	await(t, func() bool { up, _ := placer.Connection(); return up })

	last, err := placer.Last(ctx, "SHUNT_DONE", "shunt.done.x")
	if err != nil || string(last.Data) != "kept" {
		t.Fatalf("after the restart: %q, %v", last.Data, err)
	}
	if _, err := placer.Request(ctx, bus.Message{Subject: "echo", Data: []byte("?")}); err != nil {
		t.Errorf("request after the restart: %v", err)
	}
	must(t, worker.Publish(ctx, bus.Message{Subject: "news"}))
	receive(t, heard)
	_, err = worker.Append(ctx, bus.Message{Subject: "shunt.job.x", Data: []byte("{}")})
	must(t, err)
	must(t, receive(t, taken).Ack(ctx))
	until(t, changes, "current") // all is given again
	must(t, k.Delete(ctx, "goes", revisions["goes"]))
	until(t, changes, "-goes")
}

// TestConsumerDeleted takes the durable consumer away under a subscription.
func TestConsumerDeleted(t *testing.T) {
	server := startServer(t, natsserver.Config{Sync: "1s"})
	b := connect(t, server.ClientURL())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ensure(ctx, t, b)
	taken := make(chan bus.Delivery, 100)
	_, err := b.Consume(ctx, bus.Consumer{Stream: "SHUNT_INTAKE", Name: "gone"}, func(d bus.Delivery) { taken <- d })
	must(t, err)
	reply, err := b.Request(ctx, bus.Message{Subject: "$JS.API.CONSUMER.DELETE.SHUNT_INTAKE.gone"})
	must(t, err)
	t.Logf("deleted: %s", reply.Data)
	_, err = b.Append(ctx, bus.Message{Subject: "shunt.job.x", Data: []byte("{}")})
	must(t, err)
	must(t, receive(t, taken).Ack(ctx))
}

// TestWatchTellsWhatWasDeletedMeanwhile deletes a key while the watcher's
// connection is away, by a marker that is gone when it is back.
func TestWatchTellsWhatWasDeletedMeanwhile(t *testing.T) {
	server := startServer(t, natsserver.Config{Sync: "1s"})
	b := connect(t, server.ClientURL())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ensure(ctx, t, b)
	k := b.Bucket("SHUNT_JOBS")
	_, err := k.Create(ctx, "goes", []byte("1"))
	must(t, err)
	line := newLine(t, server.ClientURL())
	changes := watch(ctx, connect(t, line.url()).Bucket("SHUNT_JOBS"))
	until(t, changes, "current")
	line.cut()
	// A purge of the subject leaves nothing at all.
	_, err = b.Request(ctx, bus.Message{Subject: "$JS.API.STREAM.PURGE.KV_SHUNT_JOBS", Data: []byte(`{"filter":"$KV.SHUNT_JOBS.goes"}`)})
	must(t, err)
	line.mend()
	until(t, changes, "-goes")
	until(t, changes, "current")
}

// TestConnectionKilled breaks the connection without ending the server.
func TestConnectionKilled(t *testing.T) {
	server := startServer(t, natsserver.Config{Sync: "1s"})
	line := newLine(t, server.ClientURL())
	b, other := connect(t, line.url()), connect(t, server.ClientURL())
	heard := make(chan bus.Message, 10)
	_, err := b.Subscribe("news", func(m bus.Message) { heard <- m })
	must(t, err)
	_, since := b.Connection()
	line.cut()
	await(t, func() bool { up, _ := b.Connection(); return !up })
	line.mend()
	await(t, func() bool { up, _ := b.Connection(); return up })
	if _, again := b.Connection(); !again.After(since) {
		t.Errorf("connected since %v, before the cut it was %v", again, since)
	}
	must(t, other.Publish(t.Context(), bus.Message{Subject: "news"}))
	receive(t, heard)
}

func withListen(cfg natsserver.Config, listen string) natsserver.Config {
	cfg.Listen = listen
	return cfg
}

func hostOf(t *testing.T, url string) string {
	t.Helper()
	var host string
	if _, err := fmt.Sscanf(url, "nats://%s", &host); err != nil {
		t.Fatal(err)
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		t.Fatal(err)
	}
	return host
}

func ensure(ctx context.Context, t testing.TB, b *natsbus.Bus) {
	t.Helper()
	if err := b.Ensure(ctx, bus.NewLayout("shunt", 1, 256<<20)); err != nil {
		t.Fatal(err)
	}
}
