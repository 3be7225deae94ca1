package census

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// Self counts this process's own: its open files, by what they are, and its
// goroutines, by what started them.
func Self() (Census, error) {
	c := Census{}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil, err
	}
	for _, fd := range fds {
		target, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name()))
		if err == nil { // else it was the directory that is being read
			c.add("fd", inode.ReplaceAllString(target, "$1"))
		}
	}
	buf := make([]byte, 1<<20)
	for n := runtime.Stack(buf, true); n == len(buf); n = runtime.Stack(buf, true) {
		buf = make([]byte, 2*len(buf))
	}
	for _, stack := range strings.Split(strings.TrimRight(string(buf), "\x00\n"), "\n\n") {
		c.add("goroutine", origin(stack))
	}
	return c, nil
}

// inode finds the number in "socket:[123]", which says nothing.
var inode = regexp.MustCompile(`^(\w+):\[\d+\]$`)

// origin is who started a goroutine.
func origin(stack string) string {
	_, by, found := strings.Cut(stack, "\ncreated by ")
	if !found {
		return "main"
	}
	line, _, _ := strings.Cut(by, "\n")
	function, _, _ := strings.Cut(line, " in goroutine")
	return function
}
