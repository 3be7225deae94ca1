package managed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// identity tells a process from every other one, also from those that later
// have its pid.
type identity struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks after the boot
	Boot  string `json:"boot"`
}

// identify is the identity of a process that runs; ok is false when there is
// none, or only its remains.
func identify(pid int) (id identity, ok bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return identity{}, false
	}
	// The name, in parentheses, may hold anything; what follows it may not.
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	const state, start = 0, 19 // fields 3 and 22 of proc(5)
	if len(fields) <= start || fields[state] == "Z" || fields[state] == "X" {
		return identity{}, false
	}
	ticks, err := strconv.ParseUint(fields[start], 10, 64)
	if err != nil {
		return identity{}, false
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return identity{}, false
	}
	return identity{PID: pid, Start: ticks, Boot: strings.TrimSpace(string(boot))}, true
}

func (id identity) alive() bool {
	now, ok := identify(id.PID)
	return ok && now == id
}

// signal sends a signal to the process, and to no other.
func (id identity) signal(s syscall.Signal) error {
	process, err := os.FindProcess(id.PID) // by pidfd, so that the check holds
	if err != nil {
		return err
	}
	defer func() { _ = process.Release() }()
	if !id.alive() {
		return os.ErrProcessDone
	}
	return process.Signal(s)
}

// recorded reads the identity in a pid file; ok is false when no such process
// lives.
func recorded(file string) (id identity, ok bool) {
	data, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(data, &id) != nil || id.PID <= 1 {
		return identity{}, false
	}
	return id, id.alive()
}

// record writes a pid file in one step.
func (id identity) record(file string) error {
	data, err := json.Marshal(id)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".new", data, 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// spawn starts the daemon in a session of its own. The wait reaps it, if this
// process lives to see it.
func (l layout) spawn(program, path string) (identity, error) {
	log, err := openLog(l.log)
	if err != nil {
		return identity{}, err
	}
	defer log.Close()
	cmd := exec.Command(program, "--config", l.config)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(withoutOurs(os.Environ()), "PATH="+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return identity{}, fmt.Errorf("managed containerd: start: %w", err)
	}
	id, ok := identify(cmd.Process.Pid)
	go func() { _ = cmd.Wait() }()
	if !ok {
		return identity{}, fmt.Errorf("managed containerd: it ended at once: %s", tail(l.log))
	}
	if err := id.record(l.pid); err != nil {
		_ = id.signal(syscall.SIGKILL) // nobody could find it again
		return identity{}, fmt.Errorf("managed containerd: %w", err)
	}
	return id, nil
}

// withoutOurs is the environment without what is meant for this process.
func withoutOurs(env []string) []string {
	var out []string
	for _, e := range env {
		if !strings.HasPrefix(e, "SHUNT_") && !strings.HasPrefix(e, "PATH=") && !strings.HasPrefix(e, "NOTIFY_SOCKET=") {
			out = append(out, e)
		}
	}
	return out
}

// maxLog is where the daemon's log is begun again.
const maxLog = 8 << 20

func openLog(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".old"); err != nil {
			return nil, fmt.Errorf("managed containerd: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, fmt.Errorf("managed containerd: %w", err)
	}
	return f, nil
}

// tail is the end of the daemon's log, for errors.
func tail(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return "its log cannot be read"
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return "its log ends with: " + strings.Join(lines[max(0, len(lines)-3):], " | ")
}
