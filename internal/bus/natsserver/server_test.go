package natsserver_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

func TestStartNamesTheFieldAtFault(t *testing.T) {
	const anyPort = "127.0.0.1:0"
	dir := t.TempDir()
	for name, test := range map[string]struct {
		cfg  natsserver.Config
		says []string
	}{
		"no listen":    {natsserver.Config{StoreDir: dir}, []string{"listen", `""`, "127.0.0.1:4222"}},
		"no port":      {natsserver.Config{Listen: "localhost", StoreDir: dir}, []string{"listen", `"localhost"`}},
		"bad port":     {natsserver.Config{Listen: "localhost:70000", StoreDir: dir}, []string{"listen", `"70000"`, "65535"}},
		"no store":     {natsserver.Config{Listen: anyPort}, []string{"store-dir"}},
		"bad sync":     {natsserver.Config{Listen: anyPort, StoreDir: dir, Sync: "often"}, []string{"sync", `"often"`, `"always"`}},
		"zero sync":    {natsserver.Config{Listen: anyPort, StoreDir: dir, Sync: "0s"}, []string{"sync", `"0s"`}},
		"payload":      {natsserver.Config{Listen: anyPort, StoreDir: dir, MaxPayload: 1024}, []string{"max payload", "1024", "1048576"}},
		"store size":   {natsserver.Config{Listen: anyPort, StoreDir: dir, MaxStore: -1}, []string{"max store", "-1"}},
		"store a file": {natsserver.Config{Listen: anyPort, StoreDir: "/dev/null/x"}, []string{"store-dir", "/dev/null"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := natsserver.Start(test.cfg)
			wantSays(t, err, test.says...)
		})
	}
}

func TestStartOnATakenPort(t *testing.T) {
	first := start(t, natsserver.Config{Listen: "127.0.0.1:0", StoreDir: t.TempDir()})
	taken := strings.TrimPrefix(first.ClientURL(), "nats://")
	_, err := natsserver.Start(natsserver.Config{Listen: taken, StoreDir: t.TempDir()})
	wantSays(t, err, taken, "in use")
}

// TestWhatTheServerLogs checks that trouble is told as such, and chatter is not.
func TestWhatTheServerLogs(t *testing.T) {
	var quiet, loud strings.Builder
	dir := filepath.Join(t.TempDir(), "made", "as needed")
	for out, level := range map[*strings.Builder]slog.Level{&quiet: slog.LevelInfo, &loud: slog.LevelDebug} {
		log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level}))
		server, err := natsserver.Start(natsserver.Config{Listen: "127.0.0.1:0", StoreDir: dir, Logger: log})
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	if quiet.Len() > 0 {
		t.Errorf("a start without trouble logs %s", &quiet)
	}
	if !strings.Contains(loud.String(), "Server is ready") {
		t.Errorf("the server's notices are not in the debug log: %s", &loud)
	}
}

func start(t *testing.T, cfg natsserver.Config) *natsserver.Server {
	t.Helper()
	server, err := natsserver.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	return server
}

func wantSays(t *testing.T, err error, says ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error %q does not mention %q", err, s)
		}
	}
}
