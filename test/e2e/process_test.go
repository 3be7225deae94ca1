package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/internal/testenv"
)

// patience is how long anything here may take before it counts as hung. It is
// long, since nothing waits for it but a test that fails.
const patience = 60 * time.Second

// process is a worker or a placer that runs.
type process struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	output *output
	exited chan struct{}

	ready map[string]string // what the ready line says: node, nats, http
}

// start runs a program of bin/ until the test ends, and waits for the line
// that says it is ready.
func start(t *testing.T, name, program string, args ...string) *process {
	t.Helper()
	return startWith(t, name, program, nil, args...)
}

// startWith is start with variables in the environment.
func startWith(t *testing.T, name, program string, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, output: newOutput(), exited: make(chan struct{})}
	p.cmd = command(t, program, args...)
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdout, p.cmd.Stderr = stdout{p.output}, p.output
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // how it ended is in ProcessState
	}()
	t.Cleanup(p.cleanup)
	select {
	case line := <-p.output.first:
		p.ready = readyLine(t, line)
	case <-p.exited:
		t.Fatalf("%s ended before it was ready: %v", name, p.cmd.ProcessState)
	case <-time.After(patience):
		t.Fatalf("%s was not ready within %v", name, patience)
	}
	return p
}

// command is a program of bin/, which hears nothing of the test's environment
// that could be one of its own settings.
func command(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(filepath.Join(testenv.Bin(t), program), args...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "SHUNT_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.WaitDelay = time.Second // what it started must not hold its pipes
	return cmd
}

// readyLine reads "ready node=… nats=… http=…".
func readyLine(t *testing.T, line string) map[string]string {
	t.Helper()
	fields := strings.Fields(line)
	if len(fields) != 4 || fields[0] != "ready" {
		t.Fatalf("the first line on standard output is %q, want \"ready node=… nats=… http=…\"", line)
	}
	said := map[string]string{}
	for i, key := range []string{"node", "nats", "http"} {
		value, ok := strings.CutPrefix(fields[i+1], key+"=")
		if !ok || value == "" {
			t.Fatalf("%q says no %s", line, key)
		}
		said[key] = value
	}
	return said
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// stop ends the process by SIGTERM; it must end in good order.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatalf("SIGTERM to %s: %v", p.name, err)
	}
	if code := p.wait(); code != 0 {
		p.t.Fatalf("%s ended with %d after SIGTERM, want 0", p.name, code)
	}
}

// kill ends the process by SIGKILL.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatalf("SIGKILL to %s: %v", p.name, err)
	}
	p.wait()
}

// wait is the exit code of a process that is ending; -1: by a signal.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Fatalf("%s did not end within %v", p.name, patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// cleanup ends what the test left running, and shows the log of a failure.
func (p *process) cleanup() {
	if p.running() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.exited:
		case <-time.After(patience):
			p.t.Errorf("%s does not end by SIGTERM; it is killed", p.name)
			_ = p.cmd.Process.Kill()
			<-p.exited
		}
	}
	if p.t.Failed() {
		p.t.Logf("---- %s (pid %d): %v\n%s", p.name, p.pid(), p.cmd.ProcessState, p.output)
	}
}

// output is what a process prints.
type output struct {
	first chan string // the first whole line on standard output

	mu   sync.Mutex
	all  bytes.Buffer
	line bytes.Buffer // standard output, until its first newline
	said bool
}

func newOutput() *output { return &output{first: make(chan string, 1)} }

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(data)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// stdout is the part of an output that has the ready line.
type stdout struct{ *output }

func (s stdout) Write(data []byte) (int, error) {
	s.mu.Lock()
	if !s.said {
		s.line.Write(data)
		if line, _, whole := strings.Cut(s.line.String(), "\n"); whole {
			s.said = true
			s.first <- line
		}
	}
	s.mu.Unlock()
	if _, err := s.output.Write(fmt.Appendf(nil, "[stdout] %s", data)); err != nil {
		return 0, err
	}
	return len(data), nil // not what was written of it: the program's pipe would be closed
}
