package natsbus

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/shunt-fleet/shunt/internal/bus"
)

// A stream that has no leader just now answers nothing. Whoever deletes a record
// meanwhile must not take it for deleted.
func TestAStreamWithoutALeaderIsAwayAndNotEmpty(t *testing.T) {
	err := wrap(jetstream.ErrNoStreamResponse, "bucket %s: delete %s", "SHUNT_JOBS", "web")
	if !errors.Is(err, bus.ErrUnavailable) || errors.Is(err, bus.ErrNotFound) {
		t.Errorf("it is %v", err)
	}
}
