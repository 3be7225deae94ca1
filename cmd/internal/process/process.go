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

// Signals returns a context that ends with the first SIGTERM or SIGINT; the
// second one ends the process at once.
func Signals(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-ch:
			cancel()
		case <-ctx.Done():
			signal.Stop(ch)
			return
		}
		<-ch
		os.Exit(1)
	}()
	return ctx, cancel
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
