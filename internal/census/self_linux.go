package census

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"strings"
	"time"
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
	var stacks strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&stacks, 2); err != nil {
		return nil, err
	}
	for _, stack := range strings.Split(strings.TrimSpace(stacks.String()), "\n\n") {
		c.add("goroutine", origin(stack))
	}
	return c, nil
}

// SettleSelf waits until this process has nothing that it had not before.
func SettleSelf(ctx context.Context, before Census) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		now, err := Self()
		if err != nil {
			return err
		}
		more := now.more(before)
		if len(more) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("census: this process has more than before:\n%s", strings.Join(more, "\n"))
		case <-tick.C:
		}
	}
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
