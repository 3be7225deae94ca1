package lease

import (
	"time"

	"golang.org/x/sys/windows"
)

// BootClock is the machine's clock since its start, sleep included.
type BootClock struct{}

// Now reads GetTickCount64, which goes on while the machine sleeps.
func (BootClock) Now() time.Duration { return windows.DurationSinceBoot() }
