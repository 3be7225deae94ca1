//go:build unix

package remote_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/shunt-fleet/shunt/pkg/messages"
	"github.com/shunt-fleet/shunt/pkg/runtime"
	"github.com/shunt-fleet/shunt/pkg/runtime/memory"
	"github.com/shunt-fleet/shunt/pkg/runtime/remote"
	"github.com/shunt-fleet/shunt/pkg/runtime/runtimetest"
)

// TestMain is a delegate, too, when this test's binary is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "delegate" {
		os.Exit(delegate(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// stdio is this process's own pipe.
type stdio struct{}

func (stdio) Read(p []byte) (int, error)  { return os.Stdin.Read(p) }
func (stdio) Write(p []byte) (int, error) { return os.Stdout.Write(p) }
func (stdio) Close() error                { return errors.Join(os.Stdin.Close(), os.Stdout.Close()) }

// junk is what wsl.exe may say first.
const junk = "\xff\xfew\x00s\x00l\x00:\x00 \x00h\x00m\x00\r\x00\n\x00"

// delegate serves a memory runtime; with an argument, after some junk.
func delegate(args []string) int {
	fmt.Fprintln(os.Stderr, "hello from standard error; SHUNT_NODE is", strconv.Quote(os.Getenv("SHUNT_NODE")))
	if len(args) > 0 {
		fmt.Print(junk)
	}
	m, err := memory.NewMachine(memory.Config{
		Platforms: []messages.Platform{linux}, Images: memory.StaticImages{toybox: {{Platform: linux}}},
	})
	if err != nil {
		return 2
	}
	err = remote.Serve(context.Background(), stdio{}, memory.New(m), remote.ServeConfig{Version: strconv.Itoa(os.Getpid())})
	if errors.Is(err, remote.ErrLeft) {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func self(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	must(t, err)
	return path
}

// overProcess is a Runtime over a real child process.
func overProcess(t testing.TB, argv ...string) *remote.Runtime {
	t.Helper()
	r, err := remote.New(remote.Config{Dial: remote.Command(argv, testLog(t)), Logger: testLog(t), Pause: 10 * time.Millisecond})
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	return r
}

func TestConformanceOverAProcess(t *testing.T) {
	r := overProcess(t, self(t), "delegate", "after junk")
	await(t, r)
	runtimetest.Run(t, runtimetest.Config{
		New:          func(*testing.T) runtime.Runtime { return r },
		Image:        func(*testing.T) string { return toybox },
		MissingImage: "shunt.test/nothing:1",
		Lacks:        memoryLacks, // and what a restart leaves of a memory runtime is nothing
	})
}

// A program that is killed is started again, and closing the pipe ends it.
func TestAProcessThatIsKilled(t *testing.T) {
	t.Setenv("SHUNT_NODE", "not-for-it")
	var log syncBuffer
	r, err := remote.New(remote.Config{
		Dial: remote.Command([]string{self(t), "delegate"}, newLog(&log)), Logger: newLog(io.MultiWriter(&log, t.Output())), Pause: 10 * time.Millisecond,
	})
	must(t, err)
	defer r.Close()
	await(t, r)
	first := pid(t, &log, 1)
	process, err := os.FindProcess(first)
	must(t, err)
	must(t, process.Kill())
	second := pid(t, &log, 2)
	await(t, r)
	if _, err := r.List(t.Context()); err != nil {
		t.Error(err)
	}
	must(t, r.Close())
	if running(first) || running(second) {
		t.Errorf("%d or %d is still there", first, second)
	}
	if said := log.String(); !strings.Contains(said, `hello from standard error; SHUNT_NODE is \"\"`) || !strings.Contains(said, "has ended: signal: killed") {
		t.Errorf("the log is\n%s", said)
	}
}

// pid is the process of the nth delegate, as the log tells it.
func pid(t *testing.T, log *syncBuffer, nth int) (pid int) {
	t.Helper()
	until(t, "a delegate is there", func() bool {
		parts := strings.Split(log.String(), `"the delegate is there" version=`)
		if len(parts) <= nth {
			return false
		}
		n, _ := fmt.Sscan(parts[nth], &pid)
		return n == 1
	})
	return pid
}

// Why a program is of no use is in the error.
func TestAProcessThatIsNoDelegate(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "wsl.exe")
	for want, argv := range map[string][]string{
		"no such file":         {missing, "-d", "shunt"},
		"the command is empty": {},
		"has ended: exit status 1; it said: Es geht": {"/bin/sh", "-c", "echo Es geht nicht >&2; exit 1"},
		"it said: Welcome":                           {"/bin/sh", "-c", "echo Welcome"},
	} {
		r := overProcess(t, argv...)
		until(t, want, func() bool {
			_, err := r.List(t.Context())
			return errdefs.IsUnavailable(err) && strings.Contains(err.Error(), want)
		})
	}
}

// A delegate whose near end is gone without a goodbye, here with a call under way,
// leaves by itself.
func TestADelegateLeavesAtTheEndOfItsInput(t *testing.T) {
	cmd := exec.Command(self(t), "delegate")
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	dialled := false
	r, err := remote.New(remote.Config{Logger: testLog(t), Dial: func(context.Context) (io.ReadWriteCloser, error) {
		if dialled {
			return nil, errors.New("only once")
		}
		dialled = true
		return &ends{out, in}, nil
	}})
	must(t, err)
	defer r.Close()
	await(t, r)
	id := lasting(t, r)
	waiting := make(chan error, 1)
	go func() {
		_, err := r.Wait(t.Context(), id)
		waiting <- err
	}()
	in.Close()
	if err := <-waiting; !errdefs.IsUnavailable(err) {
		t.Errorf("the call under way: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the delegate has ended: %v", err)
	}
}

// ends are a program's standard output and input.
type ends struct {
	io.ReadCloser
	io.WriteCloser
}

func (e *ends) Close() error { return errors.Join(e.WriteCloser.Close(), e.ReadCloser.Close()) }
