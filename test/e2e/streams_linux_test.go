package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestStreamsEndAsTheyShould reads streamed answers while their readers and their
// worker fail them.
func TestStreamsEndAsTheyShould(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	worker := f.linux()
	f.runService("web", f.linuxImage("handle-term"), `"handle-term"`)

	t.Run("a program ends with its reader", func(t *testing.T) {
		s := f.nats.stream("shunt.node.linux-1.exec", `{"v":1,"container":"web-rep-0","cmd":["sleep","3600"]}`)
		f.awaitPrograms(2)
		s.stop()
		f.awaitPrograms(1)
	})
	t.Run("ten thousand lines a second and more", func(t *testing.T) {
		const lines = 100_000
		s := f.nats.frames("shunt.node.linux-1.exec", fmt.Sprintf(`{"v":1,"container":"web-rep-0","cmd":["flood","%d"]}`, lines))
		s.expect("a flood", "line "+strconv.Itoa(lines), map[string]string{"Status": "204", "Shunt-Exit-Code": "0"})
		var want strings.Builder
		for i := range lines {
			fmt.Fprintf(&want, "line %d", i+1)
		}
		// The command line ends every frame's body with lines of its own.
		if got := strings.ReplaceAll(s.output.String(), "\n", ""); got != want.String()+"nil body" {
			t.Errorf("%d bytes came, want %d, in their order", len(got), want.Len())
		}
		f.mustBeSmall(worker)
	})
	t.Run("a reader that does not read", func(t *testing.T) {
		s := f.nats.stream("shunt.node.linux-1.exec", `{"v":1,"container":"web-rep-0","cmd":["flood","1000000000"]}`)
		s.await("line 1000\n")
		if err := s.process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		f.awaitPrograms(1) // the bus cuts the reader off, and so the program ends
		f.mustBeSmall(worker)
		s.stop()
	})
	t.Run("the worker dies", func(t *testing.T) {
		follow := f.nats.stream("shunt.node.linux-1.logs", `{"v":1,"job":"web","follow":true}`)
		follow.await("ready")
		program := f.nats.stream("shunt.node.linux-1.exec", `{"v":1,"container":"web-rep-0","cmd":["sleep","3600"]}`)
		f.awaitPrograms(2)
		worker.kill()
		for _, s := range []*streamed{follow, program} {
			s.wait()
			if status := s.header("Status"); status != "" {
				t.Errorf("it ends with %q, as if its worker had said so", status)
			}
		}
		worker = f.linux()
		f.awaitPrograms(1) // nobody is there to hear the one that was left over
		f.nats.frames("shunt.node.linux-1.logs", `{"v":1,"job":"web","since":"2020-01-01T00:00:00Z"}`).
			expect("the log, asked for again", "ready", map[string]string{"Status": "204"})
	})
}

// awaitPrograms waits until so many processes are in the service's container.
func (f *fleet) awaitPrograms(want int) {
	f.t.Helper()
	eventually(f.t, fmt.Sprintf("%d programs run", want), func() (bool, string) {
		r := f.node("state", `{"v":1,"container":"web-rep-0"}`)
		own, err := os.Readlink("/proc/" + r.at("pid") + "/ns/pid")
		if err != nil {
			return false, r.message + err.Error()
		}
		inside := 0
		all, _ := filepath.Glob("/proc/[0-9]*/ns/pid")
		for _, path := range all {
			if ns, err := os.Readlink(path); err == nil && ns == own {
				inside++
			}
		}
		return inside == want, fmt.Sprint(inside)
	})
}

// mustBeSmall checks that a process has not gathered what it was to pass on.
func (f *fleet) mustBeSmall(p *process) {
	f.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid()))
	if err != nil {
		f.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil || kib > 200<<10 {
		f.t.Errorf("%s has taken %d KiB at most, %v", p.name, kib, err)
	}
}
