package lease

import (
	"time"

	"golang.org/x/sys/unix"
)

// BootClock is the machine's clock since its start, suspend included.
type BootClock struct{}

// Now reads CLOCK_BOOTTIME.
func (BootClock) Now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic("lease: this system has no such clock: " + err.Error()) // Linux has had it since 2.6.39
	}
	return time.Duration(t.Nano())
}
