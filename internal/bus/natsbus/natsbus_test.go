package natsbus_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus/bustest"
	"github.com/shunt-fleet/shunt/internal/bus/natsbus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

func TestConformance(t *testing.T) {
	bustest.Run(t, func(t *testing.T) func(*testing.T) bustest.Bus {
		server := startServer(t, natsserver.Config{Sync: "1s"})
		return func(t *testing.T) bustest.Bus {
			line := newLine(t, server.ClientURL())
			return cuttable{connect(t, line.url()), line}
		}
	})
}

// cuttable is a connection over a line of its own.
type cuttable struct {
	*natsbus.Bus
	line *line
}

func (c cuttable) Cut()  { c.line.cut() }
func (c cuttable) Mend() { c.line.mend() }

// startServer starts a server that ends with the test.
func startServer(t testing.TB, cfg natsserver.Config) *natsserver.Server {
	t.Helper()
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	if cfg.StoreDir == "" {
		cfg.StoreDir = t.TempDir()
	}
	server, err := natsserver.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, server) })
	return server
}

func stopServer(t testing.TB, server *natsserver.Server) {
	t.Helper()
	if err := server.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

func connect(t testing.TB, url string) *natsbus.Bus {
	t.Helper()
	b, err := natsbus.Connect(t.Context(), natsbus.Config{URL: url, Name: t.Name(), Logger: logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Logf("Close: %v", err) // expected where the server is gone already
		}
	})
	return b
}

func logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
