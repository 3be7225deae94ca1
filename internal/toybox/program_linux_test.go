package toybox_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/shunt-fleet/shunt/internal/testenv"
	"github.com/shunt-fleet/shunt/internal/toybox"
)

// TestMain removes the program that the tests share.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "toybox-test-")
	if err != nil {
		panic(err)
	}
	programDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

var (
	programDir string
	buildOnce  sync.Once
)

// program is the real one, built once.
func program(t *testing.T) string {
	t.Helper()
	buildOnce.Do(func() {
		if _, err := toybox.Build(t.Context(), programDir, runtime.GOARCH); err != nil {
			t.Error(err)
		}
	})
	path, err := toybox.Find(programDir)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// result runs the program to its end.
func result(t *testing.T, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestApplets(t *testing.T) {
	path := program(t)
	file, note := filepath.Join(t.TempDir(), "touched"), filepath.Join(t.TempDir(), "note")
	for _, test := range []struct {
		words  []string
		stdout string
		stderr string // a part of it
		code   int
	}{
		{words: []string{"true"}},
		{words: []string{"false"}, code: 1},
		{words: []string{"exit", "7"}, code: 7},
		{words: []string{"exit", "many"}, stderr: `"many"`, code: 2},
		{words: []string{"echo", "a", "b c"}, stdout: "a b c\n"},
		{words: []string{"echo", "-n", "a"}, stdout: "a"},
		{words: []string{"printerr", "oh"}, stderr: "oh\n"},
		{words: []string{"sleep", "0.01"}},
		{words: []string{"sleep", "-1"}, stderr: `"-1"`, code: 2},
		{words: []string{"sleep", "NaN"}, stderr: `"NaN"`, code: 2},
		{words: []string{"args", "a b", ""}, stdout: "\"a b\"\n\"\"\n"},
		{words: []string{"flood", "3"}, stdout: "line 1\nline 2\nline 3\n"},
		{words: []string{"flood", "2", "10"}, stdout: "line 1...\nline 2...\n"},
		{words: []string{"forks", "3"}, stdout: "3 of 3 started\n"},
		{words: []string{"touch", file}},
		{words: []string{"write", note, "some", "words"}},
		{words: []string{"cat", note}, stdout: "some words\n"},
		{words: []string{"write", "/no/such/dir"}, stderr: "/no/such/dir", code: 1},
		{words: []string{"stat", "/"}, stdout: "drwxr-xr-x 0:0 /\n"},
		{words: []string{"stat", "/nothing"}, stderr: "/nothing", code: 1},
		{words: []string{"touch", "/no/such/dir"}, stderr: "/no/such/dir", code: 1},
		{words: []string{"nonsense"}, stderr: "nonsense: not found", code: 127},
		{words: []string{"sh", "-c", `echo 'a; b' "c d" e\ f; ; false`}, stdout: "a; b c d e f\n", code: 1},
		{words: []string{"sh", "-c", "echo one; exit 3; echo two"}, stdout: "one\n", code: 3},
		{words: []string{"sh", "-c", "false; exit"}, code: 1},
		{words: []string{"sh", "-c", "false\ntrue"}},
		{words: []string{"sh", "-c", "nonsense; echo on"}, stdout: "on\n", stderr: "nonsense"},
		{words: []string{"sh", "-c", "echo a | cat"}, stderr: "pipes", code: 2},
		{words: []string{"sh", "-c", `echo "$HOME"`}, stderr: "variables", code: 2},
		{words: []string{"sh", "-c", "echo 'a"}, stderr: "never closed", code: 2},
		{words: []string{"sh", "script"}, stderr: "sh -c", code: 2},
		{words: nil, stderr: "usage", code: 2},
	} {
		t.Run(strings.Join(test.words, " "), func(t *testing.T) {
			stdout, stderr, code := result(t, exec.CommandContext(t.Context(), path, test.words...))
			if stdout != test.stdout || !strings.Contains(stderr, test.stderr) || code != test.code {
				t.Errorf("got %q, %q, code %d; want %q, %q in it, code %d", stdout, stderr, code, test.stdout, test.stderr, test.code)
			}
			if test.code == 0 && test.stderr == "" && stderr != "" {
				t.Errorf("it succeeded and complained: %q", stderr)
			}
		})
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("touch made nothing: %v", err)
	}
}

func TestAppletIsChosenByBaseName(t *testing.T) {
	link := filepath.Join(t.TempDir(), "echo")
	if err := os.Symlink(program(t), link); err != nil {
		t.Fatal(err)
	}
	if stdout, _, code := result(t, exec.CommandContext(t.Context(), link, "hello")); stdout != "hello\n" || code != 0 {
		t.Errorf("got %q, code %d; want hello, code 0", stdout, code)
	}
}

func TestAppletsOfImageAreTheProgramsOwn(t *testing.T) {
	stdout, _, _ := result(t, exec.CommandContext(t.Context(), program(t), "--list"))
	if got := strings.Fields(stdout); !slices.Equal(got, toybox.Applets()) {
		t.Errorf("the program has %q, the image links %q", got, toybox.Applets())
	}
}

func TestAppletsSeeTheirSurroundings(t *testing.T) {
	dir := t.TempDir()
	host, _ := os.Hostname()
	for applet, want := range map[string]string{
		"cat":      "through\n",
		"env":      "A=1\n",
		"pwd":      dir + "\n",
		"hostname": host + "\n",
		"id":       "uid=" + strconv.Itoa(os.Getuid()) + " gid=" + strconv.Itoa(os.Getgid()) + " groups=",
	} {
		cmd := exec.CommandContext(t.Context(), program(t), applet)
		cmd.Dir, cmd.Env, cmd.Stdin = dir, []string{"A=1"}, strings.NewReader("through\n")
		stdout, stderr, code := result(t, cmd)
		if !strings.HasPrefix(stdout, want) || code != 0 {
			t.Errorf("%s: got %q, %q, code %d; want %q", applet, stdout, stderr, code, want)
		}
	}
}

// started runs an applet until its first line is there.
func started(t *testing.T, words ...string) (cmd *exec.Cmd, first string, rest io.Reader) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), program(t), words...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	reader := bufio.NewReader(out)
	first, err = reader.ReadString('\n')
	if err != nil {
		t.Fatalf("%q said nothing: %v", words, err)
	}
	return cmd, strings.TrimSpace(first), reader
}

func TestHandleTermLeavesInPeace(t *testing.T) {
	cmd, _, rest := started(t, "handle-term")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(rest)
	if err != nil || string(said) != "term\n" {
		t.Errorf("it said %q, %v; want term", said, err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v, want 0", err)
	}
}

func TestHandleTermDoesWhatComesNext(t *testing.T) {
	cmd, _, rest := started(t, "handle-term", "sh", "-c", "echo next; exit 7")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(rest)
	if err != nil || string(said) != "term\nnext\n" {
		t.Errorf("it said %q, %v; want term and next", said, err)
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("it ended with %d, want 7", code)
	}
}

func TestIgnoreTermEndsByKillOnly(t *testing.T) {
	cmd, _, rest := started(t, "ignore-term")
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
	}
	io.Copy(io.Discard, rest)
	cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended by %v, want SIGKILL alone", cmd.ProcessState)
	}
}

func TestKillSelfEndsByThatSignal(t *testing.T) {
	for _, word := range []string{"KILL", "SIGTERM", "2"} {
		cmd := exec.CommandContext(t.Context(), program(t), "kill-self", word)
		result(t, cmd)
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
			t.Errorf("kill-self %s: %v, want an end by signal", word, cmd.ProcessState)
		}
	}
}

// As the first process of a pid namespace the kernel would drop the signal.
func TestFirstProcessEndsOnTermWithItsCode(t *testing.T) {
	testenv.Root(t)
	for _, word := range []string{"15", "9"} {
		cmd := exec.CommandContext(t.Context(), program(t), "kill-self", word)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
		_, _, code := result(t, cmd)
		if number, _ := strconv.Atoi(word); code != 128+number {
			t.Errorf("kill-self %s as pid 1: code %d, want %d", word, code, 128+number)
		}
	}
}

func TestHTTPAnswers(t *testing.T) {
	_, first, _ := started(t, "http", "0")
	_, port, ok := strings.Cut(first, "]:")
	if !ok {
		t.Fatalf("the first line is %q, want listening [::]:PORT", first)
	}
	for path, want := range map[string]string{"/healthz": "ok\n", "/a/b": "/a/b\n"} {
		response, err := http.Get("http://127.0.0.1:" + port + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || string(body) != want || response.StatusCode != http.StatusOK {
			t.Errorf("GET %s: status %d, %q, %v; want 200 and %q", path, response.StatusCode, body, err, want)
		}
	}
}

func TestGetAndUDPEcho(t *testing.T) {
	_, first, _ := started(t, "http", "0")
	port := first[strings.LastIndex(first, ":")+1:]
	out, errors, code := result(t, exec.CommandContext(t.Context(), program(t), "get", "127.0.0.1:"+port, "/hello"))
	if out != "/hello\n" || code != 0 {
		t.Errorf("get: %q, %q, code %d, want /hello", out, errors, code)
	}
	if _, _, code := result(t, exec.CommandContext(t.Context(), program(t), "get", "127.0.0.1:1")); code != 1 {
		t.Errorf("get from nobody: code %d, want 1", code)
	}
	_, first, _ = started(t, "udp-echo", "0")
	conn, err := net.Dial("udp", "127.0.0.1:"+first[strings.LastIndex(first, ":")+1:])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 16)
	if n, err := conn.Read(answer); err != nil || string(answer[:n]) != "hello" {
		t.Errorf("udp-echo: %q, %v, want hello", answer[:n], err)
	}
}
