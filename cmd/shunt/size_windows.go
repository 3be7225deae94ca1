package main

import "time"

// sizeChanges tells when the terminal may have another size; Windows has no
// signal for it.
func sizeChanges() (<-chan time.Time, func()) {
	tick := time.NewTicker(250 * time.Millisecond)
	return tick.C, tick.Stop
}
