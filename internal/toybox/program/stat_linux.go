package main

import (
	"fmt"
	"os"
	"syscall"
)

// stat prints, of each path, its mode, owner and group: drwxr-xr-x 0:0 /bin.
func stat(p *process) int {
	for _, name := range p.args {
		info, err := os.Stat(name)
		if err != nil {
			return p.fail(exitFailure, "stat: %v", err)
		}
		owner := "?"
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			owner = fmt.Sprintf("%d:%d", s.Uid, s.Gid)
		}
		fmt.Fprintln(p.out, info.Mode(), owner, name)
	}
	return exitOK
}
