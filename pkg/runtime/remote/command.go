package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// leaveWithin is how long a program may take to end when its input has, before it
// is killed.
const leaveWithin = settleAll + 5*time.Second

// Command is a Dialer that runs a program, and speaks with its standard input and
// output; what it writes to standard error goes to the log. The program may be
// one that leads elsewhere: wsl.exe, limactl, ssh. Its exit code means nothing,
// as theirs does not.
//
// The program gets nothing of this process's environment that begins with
// SHUNT_, which would be settings of its own. It ends when the pipe is closed:
// its input ends, and it is killed, with what it has started, if it is still
// there after fifteen seconds.
func Command(argv []string, log *slog.Logger) Dialer {
	return func(context.Context) (io.ReadWriteCloser, error) {
		if len(argv) == 0 {
			return nil, errors.New("start the delegate: the command is empty")
		}
		p, err := startProcess(argv, log, leaveWithin)
		if err != nil {
			return nil, fmt.Errorf("start the delegate: %w", err)
		}
		return p, nil
	}
}

// process is a program as a pipe.
type process struct {
	name  string
	cmd   *exec.Cmd
	in    *os.File      // its standard input
	out   *os.File      // its standard output
	leave time.Duration // how long it may take to end when its input has

	exited  chan struct{}
	told    chan struct{} // closed when its standard error has ended
	closing sync.Once

	mu   sync.Mutex
	last string // line on standard error
}

func startProcess(argv []string, log *slog.Logger, leave time.Duration) (*process, error) {
	p := &process{name: argv[0], leave: leave, exited: make(chan struct{}), told: make(chan struct{})}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Env = environment(os.Environ())
	apart(p.cmd)
	// The pipes are made here so that Wait waits for the program alone, and not
	// for whoever it has given them to.
	stdin, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	out, stdout, err := os.Pipe()
	if err != nil {
		in.Close()
		return nil, err
	}
	defer stdout.Close()
	said, stderr, err := os.Pipe()
	if err != nil {
		in.Close()
		out.Close()
		return nil, err
	}
	defer stderr.Close()
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, stdout, stderr
	if err := p.cmd.Start(); err != nil {
		in.Close()
		out.Close()
		said.Close()
		return nil, err
	}
	p.in, p.out = in, out
	go func() {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		close(p.exited)
	}()
	go p.listen(said, log.With("pid", p.cmd.Process.Pid))
	return p, nil
}

// environment is what the program gets of this process's.
func environment(own []string) []string {
	var kept []string
	for _, entry := range own {
		if !strings.HasPrefix(strings.ToUpper(entry), "SHUNT_") {
			kept = append(kept, entry)
		}
	}
	return append(kept, "WSL_UTF8=1") // what wsl.exe itself says is readable then
}

// listen logs what the program says, line by line.
func (p *process) listen(said *os.File, log *slog.Logger) {
	defer close(p.told)
	defer said.Close()
	for lines := bufio.NewReader(said); ; {
		line, _, err := lines.ReadLine() // of one that is too long, pieces
		if text := readable(line); text != "" {
			log.Info("the delegate's program says", "text", text)
			p.mu.Lock()
			p.last = text
			p.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

func (p *process) Write(data []byte) (int, error) { return p.in.Write(data) }

// Read reads what the program says. At its end the error tells how it has ended,
// and what it has complained of last, as far as that is known by then.
func (p *process) Read(data []byte) (int, error) {
	n, err := p.out.Read(data)
	if err == nil || n > 0 {
		return n, nil
	}
	for _, soon := range []chan struct{}{p.exited, p.told} {
		select {
		case <-soon:
		case <-time.After(time.Second):
		}
	}
	return 0, errors.New(p.ending(err))
}

func (p *process) ending(err error) string {
	text := fmt.Sprintf("%s: its output has ended (%v)", p.name, err)
	select {
	case <-p.exited:
		text = fmt.Sprintf("%s has ended: %v", p.name, p.cmd.ProcessState)
	default:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last != "" {
		text += "; it said: " + p.last
	}
	return text
}

// Close ends the program, and returns when it has ended.
func (p *process) Close() error {
	p.closing.Do(func() {
		p.in.Close()
		select {
		case <-p.exited:
		case <-time.After(p.leave):
			kill(p.cmd)
			<-p.exited
		}
		p.out.Close()
	})
	return nil
}
