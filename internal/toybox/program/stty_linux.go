package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// stty size prints the rows and columns of the terminal that is its input.
func stty(p *process) int {
	if strings.Join(p.args, " ") != "size" {
		return p.fail(exitUsage, "stty: want size")
	}
	size, err := unix.IoctlGetWinsize(int(os.Stdin.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return p.fail(exitFailure, "stty: standard input: %v", err)
	}
	return p.print(fmt.Sprintf("%d %d\n", size.Row, size.Col))
}
