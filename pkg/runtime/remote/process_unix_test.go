//go:build unix

package remote

import (
	"bufio"
	"log/slog"
	"syscall"
	"testing"
	"time"
)

// A program that does not end when its input has is killed, with what it has
// started.
func TestAProcessThatDoesNotLeave(t *testing.T) {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	p, err := startProcess([]string{"/bin/sh", "-c", "sleep 3600 & echo up; wait"}, log, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(p).ReadString('\n'); line != "up\n" {
		t.Fatalf("it says %q, %v", line, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		t.Errorf("it has ended with %v", p.cmd.ProcessState)
	}
	select {
	case <-p.told: // nobody holds its standard error any more
	case <-time.After(time.Minute):
		t.Error("what it had started is still there")
	}
}
