package remote

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// apart starts the program in a group of its own: a Ctrl-C in a console is for
// this process, which says goodbye first.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}

// kill ends the program. What it has started in WSL reads the end of its input.
func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
