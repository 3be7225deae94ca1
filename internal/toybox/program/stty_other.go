//go:build !linux

package main

// stty is there on Linux alone.
func stty(p *process) int {
	return p.fail(exitFailure, "stty: not on this system")
}
