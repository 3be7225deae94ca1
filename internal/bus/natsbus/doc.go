// Package natsbus is the bus on NATS and JetStream.
//
// Connect waits until the bus is there; from then on the connection is kept for
// ever: while it is away, what is sent fails at once with bus.ErrUnavailable
// (nothing is buffered to surprise later), and subscriptions, consumers and
// watches take up again by themselves when it is back.
//
// A call whose context has no deadline gets DefaultTimeout, Request and Watch
// excepted. A write on a subject that the connection may not publish on is not
// answered by NATS, it times out; the reason is in the log.
//
// With three replicas a read may be answered by a server that is a moment
// behind; writes by revision are not.
package natsbus

import (
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
)

var _ bus.Bus = (*Bus)(nil)

const (
	// DefaultTimeout is how long a call without a deadline waits for its answer.
	DefaultTimeout = 5 * time.Second

	// What one subscription may have waiting for its handler before it loses
	// messages. The client's own bound of 64 MiB loses heartbeats of a large
	// fleet while a placer is busy.
	pendingMessages = 1 << 20
	pendingBytes    = 256 << 20

	// duplicateWindow is how long a stream remembers message ids.
	duplicateWindow = 2 * time.Minute

	// markerTTL is how long a deleted key leaves a marker for the watchers. One
	// that was away longer compares what it knew with what is there.
	markerTTL = time.Minute
)
