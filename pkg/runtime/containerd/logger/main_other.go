//go:build !linux

package logger

import (
	"fmt"
	"os"
	"runtime"
)

// Main is the logger that containerd's shim starts. There is none for this
// operating system yet; it says so and returns 1.
func Main([]string) int {
	fmt.Fprintf(os.Stderr, "log: containers' logs are not implemented on %s\n", runtime.GOOS)
	return 1
}
