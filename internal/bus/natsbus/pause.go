package natsbus

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// newPause is the pause between two tries of what may pass. It grows, and is
// drawn: all clients of a server that is away, or of a stream without a leader,
// begin to try at the same moment.
func newPause() *backoff.ExponentialBackOff {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 100*time.Millisecond, 2*time.Second
	return pause
}
