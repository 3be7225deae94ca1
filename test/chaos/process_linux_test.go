package chaos_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// daemon is a process that is killed and started again, as a supervisor would.
type daemon struct {
	name    string
	program string
	args    []string
	env     []string
	log     string // of all its lives

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
}

// newDaemon is one that is killed for good when the test ends.
func newDaemon(t *testing.T, dir, name, program string, env []string, args ...string) *daemon {
	t.Helper()
	d := &daemon{name: name, program: program, args: args, env: env, log: filepath.Join(dir, name+".log")}
	t.Cleanup(d.kill)
	return d
}

// start starts the process and waits until it says that it is ready. One that
// ends by itself before (its NATS server may be away) is started again, until
// ctx ends.
func (d *daemon) start(ctx context.Context) error {
	for {
		err := d.startOnce(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not become ready: %w", d.name, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (d *daemon) startOnce(ctx context.Context) error {
	log, err := os.OpenFile(d.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(d.program, d.args...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "SHUNT_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env, d.env...)
	cmd.Stderr = log
	cmd.WaitDelay = time.Second // what it started must not hold its pipes
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	d.mu.Lock()
	d.cmd, d.exited = cmd, exited
	d.mu.Unlock()
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(out)
		ready <- lines.Scan() && strings.HasPrefix(lines.Text(), "ready ")
		for lines.Scan() { // so that it never waits for a reader
			continue
		}
		_ = cmd.Wait()
		close(exited)
	}()
	select {
	case ok := <-ready:
		if ok {
			return nil
		}
		<-exited
		return fmt.Errorf("%s ended before it was ready; see %s", d.name, d.log)
	case <-ctx.Done():
		d.kill()
		return ctx.Err()
	}
}

// kill ends the process by SIGKILL, and waits until it is gone.
func (d *daemon) kill() {
	d.mu.Lock()
	cmd, exited := d.cmd, d.exited
	d.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill() // it may have ended
	<-exited
}

// ended tells whether the process has ended by itself.
func (d *daemon) ended() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.exited:
		return true
	default:
		return false
	}
}
