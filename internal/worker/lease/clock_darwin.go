package lease

import (
	"time"

	"golang.org/x/sys/unix"
)

// BootClock is the machine's clock since its start, sleep included.
type BootClock struct{}

// Now reads CLOCK_MONOTONIC, which on macOS goes on while the machine sleeps.
func (BootClock) Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic("lease: this system has no such clock: " + err.Error()) // macOS has had it since 10.12
	}
	return time.Duration(t.Nano())
}
