package natsbus

import (
	"context"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

// TestDeletedKeysLeaveNothing checks that the marker of a deleted key goes by
// itself, so that a bucket does not grow with every job there ever was.
func TestDeletedKeysLeaveNothing(t *testing.T) {
	server, err := natsserver.Start(natsserver.Config{Listen: "127.0.0.1:0", StoreDir: t.TempDir(), Sync: "1s"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = server.Shutdown(context.Background()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	b, err := Connect(ctx, Config{URL: server.ClientURL()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close(context.Background()) }()
	if err := b.Ensure(ctx, bus.Layout{Buckets: []bus.Store{{Name: "KEYS", MaxBytes: 1 << 20}}}); err != nil {
		t.Fatal(err)
	}
	b.markerTTL = time.Second // the shortest that NATS knows
	k := b.Bucket("KEYS")
	revision, err := k.Create(ctx, "a", []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Delete(ctx, "a", revision); err != nil {
		t.Fatal(err)
	}
	for left := uint64(1); left > 0; {
		s, err := b.js.Stream(ctx, "KV_KEYS")
		if err != nil {
			t.Fatalf("the marker is still there: %v", err)
		}
		left = s.CachedInfo().State.Msgs
	}
	if _, err := k.Create(ctx, "a", []byte("2")); err != nil {
		t.Errorf("create after the marker went: %v", err)
	}
}
