// Package process is what worker and placer do alike as processes: their log,
// their signals, the line that says they are ready, and the address on which
// they say how they are.
package process

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Logger writes to w from the level named: debug, info, warn or error.
func Logger(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level: %q is not a level; want debug, info, warn or error", level)
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}

// Told is how often a process has been told to end, by SIGTERM or SIGINT.
type Told struct {
	Once  context.Context // ends with the first signal
	Twice context.Context // ends with the second

	signals     chan os.Signal
	once, twice context.CancelFunc
	stopped     chan struct{}
	noMore      atomic.Bool
}

// Listen begins to hear signals. The third one ends the process at once; after
// NoMore the second does.
func Listen(ctx context.Context) *Told {
	t := &Told{signals: make(chan os.Signal, 3), stopped: make(chan struct{})}
	t.Once, t.once = context.WithCancel(ctx)
	t.Twice, t.twice = context.WithCancel(ctx)
	signal.Notify(t.signals, os.Interrupt, syscall.SIGTERM)
	go t.hear()
	return t
}

func (t *Told) hear() {
	for n := 1; ; n++ {
		select {
		case <-t.signals:
		case <-t.stopped:
			return
		}
		switch {
		case n == 1:
			t.once()
		case n == 2 && !t.noMore.Load():
			t.twice()
		default:
			os.Exit(1)
		}
	}
}

// NoMore says that there is nothing that a second signal could cut short but
// the end itself.
func (t *Told) NoMore() { t.noMore.Store(true) }

// Stop stops hearing signals.
func (t *Told) Stop() {
	signal.Stop(t.signals)
	close(t.stopped)
	t.once()
	t.twice()
}

// Signals returns a context that ends with the first SIGTERM or SIGINT; the
// second one ends the process at once.
func Signals(ctx context.Context) (context.Context, context.CancelFunc) {
	t := Listen(ctx)
	t.NoMore()
	return t.Once, sync.OnceFunc(t.Stop)
}

// Ready prints the line that says that node answers.
func Ready(w io.Writer, node, nats, http string) {
	_, _ = fmt.Fprintf(w, "ready node=%s nats=%s http=%s\n", node, nats, http)
}

// Health says how a process is: whether its bus is reachable, and since when.
type Health func() (connected bool, since time.Time)

// Serve answers GET /healthz on the address: 200 while the bus is reachable,
// 503 while it is not. It returns the address it got, and what ends it.
func Serve(addr string, health Health) (string, func(context.Context) error, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("--http: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		connected, since := health()
		w.Header().Set("Content-Type", "application/json")
		if !connected {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"bus_connected": connected, "since": since})
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return listener.Addr().String(), server.Shutdown, nil
}
