package e2e_test

import (
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// shown is shunt while it runs.
type shown struct {
	t      *testing.T
	cmd    *exec.Cmd
	output *output
}

// shows runs a verb that goes on.
func (f *fleet) shows(args ...string) *shown {
	f.t.Helper()
	s := &shown{t: f.t, cmd: command(f.t, "shunt", append([]string{"--nats", f.nats.url}, args...)...), output: newOutput()}
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if err := s.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
	return s
}

// await waits until it has shown something.
func (s *shown) await(pattern string) {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	eventually(s.t, "it shows "+pattern, func() (bool, string) { return re.MatchString(s.output.String()), s.output.String() })
}

// wait is its exit code, once it has ended by itself.
func (s *shown) wait() int {
	s.t.Helper()
	late := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	defer late.Stop()
	_ = s.cmd.Wait() // how it ended is in ProcessState
	return s.cmd.ProcessState.ExitCode()
}
