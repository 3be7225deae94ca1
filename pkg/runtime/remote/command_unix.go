//go:build unix

package remote

import (
	"os/exec"
	"syscall"
)

// apart starts the program in a group of its own: what a terminal sends to this
// process, which says goodbye first, is not for it, and it can be killed with
// what it has started.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// kill ends the program and its group.
func kill(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
