//go:build !linux

package main

import (
	"fmt"
	"os"
	"runtime"
)

func main() {
	fmt.Fprintln(os.Stderr, "node: a machine of the compose fleet is a Linux container; this is "+runtime.GOOS)
	os.Exit(2)
}
