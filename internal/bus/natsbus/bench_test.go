package natsbus_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

// Benchmark measures the floors that shunt stands on: what a durable write and a
// request cost through the port, one by one and from 16 callers, by how the
// server syncs.
func Benchmark(b *testing.B) {
	for _, sync := range []string{natsserver.SyncAlways, "1s"} {
		b.Run("sync="+sync, func(b *testing.B) {
			conn := connectQuiet(b, startServer(b, natsserver.Config{Sync: sync}).ClientURL())
			must(b, conn.Ensure(b.Context(), bus.NewLayout("shunt", 1, bus.DefaultBudget)))
			b.Run("append", func(b *testing.B) { floor(b, appendOne(b, conn)) })
			b.Run("update", func(b *testing.B) { floor(b, updateOne(b, conn)) })
			b.Run("request", func(b *testing.B) { floor(b, requestOne(b, conn)) })
		})
	}
}

// floor runs what newCaller returns, from 1 and from 16 callers.
func floor(b *testing.B, newCaller func() func() error) {
	b.Run("callers=1", func(b *testing.B) {
		call := newCaller()
		for b.Loop() {
			must(b, call())
		}
	})
	b.Run("callers=16", func(b *testing.B) {
		b.SetParallelism(8) // times GOMAXPROCS: 16 on the two cores of the figures
		b.RunParallel(func(pb *testing.PB) {
			call := newCaller()
			for pb.Next() {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

var payload = make([]byte, 512)

func appendOne(b *testing.B, conn bus.Bus) func() func() error {
	return func() func() error {
		return func() error {
			_, err := conn.Append(b.Context(), bus.Message{Subject: "shunt.outcome.n1.x", Data: payload})
			return err
		}
	}
}

func updateOne(b *testing.B, conn bus.Bus) func() func() error {
	k := conn.Bucket("SHUNT_JOBS")
	return func() func() error {
		key := "job-" + strconv.FormatInt(keys.Add(1), 10)
		revision, err := k.Create(b.Context(), key, payload)
		return func() error {
			if err == nil {
				revision, err = k.Update(b.Context(), key, payload, revision)
			}
			return err
		}
	}
}

var keys atomic.Int64

func requestOne(b *testing.B, conn bus.Bus) func() func() error {
	b.Helper()
	_, err := conn.Serve(bus.Service{Name: "bench", Version: "1.0.0", Endpoints: []bus.Endpoint{
		{Name: "echo", Subject: "bench.echo", Queue: "bench", Handler: func(r bus.Request) { _ = r.Respond(r.Message()) }}}})
	must(b, err)
	return func() func() error {
		return func() error {
			_, err := conn.Request(b.Context(), bus.Message{Subject: "bench.echo", Data: payload})
			return err
		}
	}
}

func connectQuiet(b *testing.B, url string) bus.Bus {
	b.Helper()
	conn, err := natsbus.Connect(b.Context(), natsbus.Config{URL: url})
	must(b, err)
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
