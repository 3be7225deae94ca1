package lease

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// BootClock is the machine's clock since its start, sleep included.
type BootClock struct{}

// Now reads CLOCK_MONOTONIC, which on macOS goes on while the machine sleeps.
func (BootClock) Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return math.MaxInt64 / 4 // a clock that is not there: every lease is over
	}
	return time.Duration(t.Nano())
}
