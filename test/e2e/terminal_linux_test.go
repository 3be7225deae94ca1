package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal: what is typed, and what it shows.
type terminal struct {
	t              *testing.T
	master, person *os.File // the program has the other end

	mu    sync.Mutex
	shown bytes.Buffer
}

func newTerminal(t *testing.T, rows, cols uint16) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = master.Close() })
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	person, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	term := &terminal{t: t, master: master, person: person}
	term.resize(rows, cols)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			term.mu.Lock()
			term.shown.Write(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return term
}

func (term *terminal) resize(rows, cols uint16) {
	term.t.Helper()
	if err := unix.IoctlSetWinsize(int(term.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols}); err != nil {
		term.t.Fatal(err)
	}
}

func (term *terminal) typing(keys string) {
	term.t.Helper()
	if _, err := term.master.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

func (term *terminal) shows(text string) {
	term.t.Helper()
	eventually(term.t, fmt.Sprintf("%q is shown", text), func() (bool, string) {
		term.mu.Lock()
		defer term.mu.Unlock()
		return strings.Contains(term.shown.String(), text), term.shown.String()
	})
}

// settings are how the terminal treats keys.
func (term *terminal) settings() unix.Termios {
	term.t.Helper()
	s, err := unix.IoctlGetTermios(int(term.person.Fd()), unix.TCGETS)
	if err != nil {
		term.t.Fatal(err)
	}
	return *s
}

// run runs shunt at the terminal, as a shell would; wait gives its exit code.
func (term *terminal) run(args ...string) (wait func() int) {
	term.t.Helper()
	cmd := command(term.t, "shunt", args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = term.person, term.person, term.person
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		term.t.Fatal(err)
	}
	term.t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
		}
	})
	return func() int {
		_ = cmd.Wait() // how it ended is in ProcessState
		return cmd.ProcessState.ExitCode()
	}
}

// TestExecAtATerminal types at a program in a real container: its terminal has
// this one's size, keys go to it as they are, Ctrl-C ends it and not shunt, and
// this terminal is afterwards what it was.
func TestExecAtATerminal(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	worker := f.linux()
	f.awaitNode(linuxNode, "alive")
	f.nats.publish("shunt.job.shell", fmt.Sprintf(`{"v":1,"id":"shell","service":"shell","kind":"service","op":"run","spec":{"image":%q}}`, f.linuxImage("sleep", "3600")))
	if out, err := command(t, "shunt", "--nats", f.nats.url, "wait", "--running", "shell").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	sizes := f.hears("shunt.node.linux-1.exec.*.resize")

	term := newTerminal(t, 24, 80)
	before := term.settings()
	wait := term.run("--nats", f.nats.url, "exec", "-it", "shell-rep-0", "--", "cat")
	wantMessage(t, sizes, `{"v":1,"rows":24,"cols":80}`)
	term.typing("hello\r")
	term.shows("hello\r\nhello\r\n") // once as it is typed, once as cat has read it
	term.resize(33, 99)
	wantMessage(t, sizes, `{"v":1,"rows":33,"cols":99}`)
	term.typing("\x03")
	if code := wait(); code != 1 {
		t.Errorf("after Ctrl-C the exit code is %d, want 1", code)
	}
	term.shows("the program ended with exit code 130")
	if after := term.settings(); after != before {
		t.Errorf("the terminal is left as %+v, was %+v", after, before)
	}

	wait = term.run("--nats", f.nats.url, "exec", "-it", "shell-rep-0", "--", "cat")
	wantMessage(t, sizes, `{"v":1,"rows":33,"cols":99}`)
	term.typing("\x04") // the end of the input
	if code := wait(); code != 0 {
		t.Errorf("after the end of the input the exit code is %d", code)
	}

	wait = term.run("--nats", f.nats.url, "exec", "-it", "shell-rep-0", "--", "cat")
	wantMessage(t, sizes, `{"v":1,"rows":33,"cols":99}`)
	term.typing("again\r")
	term.shows("again\r\nagain\r\n")
	if term.settings() == before {
		t.Error("the terminal is not given to the program")
	}
	worker.kill()
	if code := wait(); code != 3 {
		t.Errorf("when the worker has died the exit code is %d, want 3", code)
	}
	if after := term.settings(); after != before {
		t.Errorf("when the worker has died the terminal is left as %+v, was %+v", after, before)
	}
}

// TestListsFitTheTerminal has a narrow one: columns are cut, and reasons go on below.
func TestListsFitTheTerminal(t *testing.T) {
	t.Parallel()
	f := newFleet(t)
	f.windows()
	question := f.write("linux.json", `{"op":"run","spec":{"image":"team/web:1","platform":{"os":"linux","arch":"amd64"}}}`)
	const cols = 44
	for want, args := range map[string][]string{
		"windo…":            {"nodes"},
		"windows/amd64\r\n": {"explain", "-f", question},
	} {
		term := newTerminal(t, 24, cols)
		if code := term.run(append([]string{"--nats", f.nats.url}, args...)...)(); code != 0 {
			t.Errorf("%s ends with %d", args, code)
		}
		term.shows(want)
		term.mu.Lock()
		for line := range strings.Lines(term.shown.String()) {
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\r\n")); n > cols {
				t.Errorf("%s: a line has %d characters: %q", args, n, line)
			}
		}
		term.mu.Unlock()
	}
}

// hears are the messages on a subject from now on.
func (f *fleet) hears(subject string) <-chan *nats.Msg {
	f.t.Helper()
	nc, err := nats.Connect(f.nats.url)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(nc.Close)
	heard := make(chan *nats.Msg, 100)
	_, err = nc.ChanSubscribe(subject, heard)
	if err = errors.Join(err, nc.Flush()); err != nil {
		f.t.Fatal(err)
	}
	return heard
}

func wantMessage(t *testing.T, from <-chan *nats.Msg, want string) {
	t.Helper()
	select {
	case m := <-from:
		if string(m.Data) != want {
			t.Errorf("%s says %s, want %s", m.Subject, m.Data, want)
		}
	case <-time.After(patience):
		t.Fatalf("%s is not said", want)
	}
}
