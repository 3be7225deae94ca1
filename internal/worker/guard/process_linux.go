package guard

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shunt-fleet/shunt/internal/worker/lease"
)

// Process is the guard as a process of its own. The worker's end of it is safe
// for concurrent use.
type Process struct {
	files   Files
	command []string

	mu sync.Mutex
}

var _ lease.Guard = (*Process)(nil)

// inherited says to the guard's process that it was given its lock and a pipe on
// which to say that it is awake.
const inherited = "SHUNT_GUARD_INHERITED"

// Descriptors of what is inherited.
const (
	lockFD  = 3
	awakeFD = 4
)

// awakeWithin bounds how long a guard may take to wake up.
const awakeWithin = 10 * time.Second

// NewProcess is a guard over a state directory, which exists. command is the
// program that runs it (see Serve), with its arguments.
func NewProcess(dir string, command []string) (lease.Guard, error) {
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	return &Process{files: Files{Dir: dir, Boot: boot}, command: command}, nil
}

// bootID is the identity of this run of the machine.
func bootID() (string, error) {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("find out which run of the machine this is: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// Watch writes the record, and wakes the guard if it has containers.
func (p *Process) Watch(r lease.Record) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.files.write(r); err != nil {
		return err
	}
	if len(r.Containers) == 0 {
		return nil
	}
	return p.wake()
}

// Last is the record of the last Watch.
func (p *Process) Last() (lease.Record, error) { return p.files.Last() }

// Stopped tells whether the guard has ended the container of an attempt.
func (p *Process) Stopped(job string, attempt uint64) bool { return p.files.Stopped(job, attempt) }

// wake starts the guard's process, unless there is one: the one that is awake
// holds the lock. The new one inherits it, so that there is never a second.
func (p *Process) wake() error {
	lock, err := os.OpenFile(filepath.Join(p.files.Dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("the guard's lock: %w", err)
	}
	defer lock.Close()
	switch err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK):
		return nil
	case err != nil:
		return fmt.Errorf("the guard's lock: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(p.files.Dir, logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("the guard's log: %w", err)
	}
	defer log.Close()
	awake, say, err := os.Pipe()
	if err != nil {
		return err
	}
	defer awake.Close()
	cmd := exec.Command(p.command[0], p.command[1:]...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), inherited+"=1")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{lock, say}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	say.Close()
	if err != nil {
		return fmt.Errorf("start the guard %s: %w", p.command[0], err)
	}
	go func() { _ = cmd.Wait() }()
	_ = awake.SetReadDeadline(time.Now().Add(awakeWithin))
	if n, err := awake.Read(make([]byte, 1)); n != 1 {
		return fmt.Errorf("the guard (pid %d) does not wake up: %w; see %s", cmd.Process.Pid, err, log.Name())
	}
	return nil
}
