package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// pause is how long a program that died stays away.
const pause = 200 * time.Millisecond

// supervisor keeps one program running.
type supervisor struct {
	program []string
	log     *slog.Logger

	mu       sync.Mutex
	pid      int // 0: it does not run now
	stopping bool
	stopped  chan struct{} // closed with stopping
}

func newSupervisor(program []string, log *slog.Logger) *supervisor {
	return &supervisor{program: program, log: log, stopped: make(chan struct{})}
}

// run runs the program until a signal asks for its end, and gives its exit code.
func (s *supervisor) run() (int, error) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1)
	go s.obey(signals)
	for {
		status, err := s.once()
		if err != nil {
			return 1, err
		}
		select {
		case <-s.stopped:
			return status.ExitStatus(), nil
		case <-time.After(pause):
			s.log.Info("the program died and is started again", "code", status.ExitStatus(), "signal", status.Signal())
		}
	}
}

// once runs the program to its end.
func (s *supervisor) once() (syscall.WaitStatus, error) {
	pid, err := s.start()
	if err != nil {
		return 0, err
	}
	status, err := reapUntil(pid)
	s.mu.Lock()
	s.pid = 0
	s.mu.Unlock()
	return status, err
}

func (s *supervisor) start() (int, error) {
	path, err := exec.LookPath(s.program[0])
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Standard output is the witness's alone.
	process, err := os.StartProcess(path, s.program, &os.ProcAttr{Files: []*os.File{nil, os.Stderr, os.Stderr}})
	if err != nil {
		return 0, err
	}
	s.pid = process.Pid
	return s.pid, process.Release() // reapUntil waits for it
}

// reapUntil collects the ends of all processes until that of pid. The first
// process of a machine inherits every orphan.
func reapUntil(pid int) (syscall.WaitStatus, error) {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 0, fmt.Errorf("wait for process %d: %w", pid, err)
		case ended == pid:
			return status, nil
		}
	}
}

// obey turns signals to the machine into signals to the program.
func (s *supervisor) obey(signals <-chan os.Signal) {
	for sig := range signals {
		s.mu.Lock()
		send := syscall.SIGKILL
		if sig != syscall.SIGUSR1 {
			send = syscall.SIGTERM
			if !s.stopping {
				s.stopping = true
				close(s.stopped)
			}
		}
		if s.pid != 0 {
			if err := syscall.Kill(s.pid, send); err != nil {
				s.log.Warn("the program cannot be signalled", "signal", send, "error", err)
			}
		}
		s.mu.Unlock()
	}
}
