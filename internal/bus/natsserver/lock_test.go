package natsserver_test

import (
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

// Two servers over one store would overwrite each other's streams, and lose
// what both have acknowledged.
func TestAStoreBelongsToOneServer(t *testing.T) {
	dir := t.TempDir()
	cfg := natsserver.Config{Listen: "127.0.0.1:0", StoreDir: dir}
	first, err := natsserver.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	second, err := natsserver.Start(cfg)
	if err == nil {
		_ = second.Shutdown(t.Context())
		t.Fatal("a second server has opened the store")
	}
	for _, part := range []string{dir, "in use", "--store-dir"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
	if err := first.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	next, err := natsserver.Start(cfg)
	if err != nil {
		t.Fatalf("the store is not free again: %v", err)
	}
	if err := next.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}
