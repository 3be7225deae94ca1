package chaos_test

import (
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

// What makes this program a NATS server instead of a test: where it listens,
// and where it stores.
const (
	serveAddress = "SHUNT_CHAOS_SERVE_ADDRESS"
	serveStore   = "SHUNT_CHAOS_SERVE_STORE"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(serveAddress); address != "" {
		serveNATS(address, os.Getenv(serveStore))
		return
	}
	os.Exit(m.Run())
}

// serveNATS is the NATS server as a process of its own, until it is killed.
// Every write is synced before it is acknowledged.
func serveNATS(address, store string) {
	_, err := natsserver.Start(natsserver.Config{
		Listen: address, StoreDir: store, Sync: natsserver.SyncAlways,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready nats")
	select {}
}
