package natsbus_test

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

// logged is what a connection logs.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// says waits for a line of the log.
func (l *logged) says(t *testing.T, pattern string) {
	t.Helper()
	line := regexp.MustCompile(pattern)
	await(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return line.Match(l.text.Bytes())
	})
}

// TestWhatIsTriedAgainIsLoggedWithItsReason: to connect, to pull, to watch; each
// goes on when the reason is gone.
func TestWhatIsTriedAgainIsLoggedWithItsReason(t *testing.T) {
	probe := startServer(t, natsserver.Config{})
	url := probe.ClientURL()
	stopServer(t, probe)
	line := newLine(t, url)
	var log logged
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log.text.String())
		}
	})
	connected := make(chan *natsbus.Bus, 1)
	go func() {
		b, err := natsbus.Connect(t.Context(), natsbus.Config{URL: line.url(), Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Errorf("Connect: %v", err)
		}
		connected <- b
	}()
	log.says(t, `level=WARN msg="not connected yet; trying on" .*error=.+ again_in=\d`)
	startServer(t, natsserver.Config{Listen: hostOf(t, url)})
	b := receive(t, connected)
	t.Cleanup(func() { _ = b.Close(context.Background()) })
	ensure(t.Context(), t, b)

	nc, err := nats.Connect(url)
	must(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	must(t, err)
	taken := make(chan bus.Delivery, 1)
	_, err = b.Consume(t.Context(), bus.Consumer{Stream: "SHUNT_INTAKE", Name: "c"}, func(d bus.Delivery) { taken <- d })
	must(t, err)
	must(t, js.DeleteStream(t.Context(), "SHUNT_INTAKE"))
	log.says(t, `level=WARN msg="consumer not there yet" .*stream=SHUNT_INTAKE consumer=c error=".*not found.*" again_in=\d`)
	ensure(t.Context(), t, b)
	_, err = b.Append(t.Context(), bus.Message{Subject: "shunt.job.x", Data: []byte("{}")})
	must(t, err)
	must(t, receive(t, taken).Ack(t.Context()))

	jobs := b.Bucket("SHUNT_JOBS")
	changes := watch(t.Context(), jobs)
	until(t, changes, "current")
	line.cut()
	must(t, js.DeleteStream(t.Context(), "KV_SHUNT_JOBS"))
	line.mend()
	log.says(t, `level=WARN msg="a watch starts again" .*bucket=SHUNT_JOBS error=".+" again_in=\d`)
	ensure(t.Context(), t, b)
	_, err = jobs.Create(t.Context(), "key", []byte("1"))
	must(t, err)
	until(t, changes, "+key")
}
