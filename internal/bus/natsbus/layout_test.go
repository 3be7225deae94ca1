package natsbus_test

import (
	"testing"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/internal/bus/natsserver"
)

// TestEnsureRefusesAsyncPersistence finds a stream that somebody made so that it
// acknowledges before it writes: not even `sync always` would make it durable.
func TestEnsureRefusesAsyncPersistence(t *testing.T) {
	b := connect(t, startServer(t, natsserver.Config{}).ClientURL())
	_, err := b.Request(t.Context(), bus.Message{
		Subject: "$JS.API.STREAM.CREATE.SHUNT_DEAD",
		Data: []byte(`{"name": "SHUNT_DEAD", "subjects": ["shunt.dead.*"], "retention": "limits", "storage": "file", "discard": "old",
			"max_msgs_per_subject": 1, "max_bytes": 16777216, "num_replicas": 1, "persist_mode": "async"}`),
	})
	must(t, err)
	err = b.Ensure(t.Context(), bus.NewLayout("shunt", 1, 256<<20))
	wantSays(t, err, "stream SHUNT_DEAD", "persist_mode", "async", "default")
}
