package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startWithin and stopWithin bound how long a program may take to be ready, and
// to end.
const (
	startWithin = 30 * time.Second
	stopWithin  = 30 * time.Second
)

// start runs one of shunt's programs until the benchmark ends, and is what it
// says when it is ready. Its log goes to a file, and to the benchmark's output
// if that fails.
func start(b *testing.B, program string, args ...string) map[string]string {
	b.Helper()
	log, err := os.Create(filepath.Join(b.TempDir(), filepath.Base(program)+".log"))
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stop(b, cmd, log) })
	first := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		first <- line
	}()
	select {
	case line := <-first:
		ready, err := readyLine(line)
		if err != nil {
			b.Fatalf("%s: %v", program, err)
		}
		return ready
	case <-time.After(startWithin):
		b.Fatalf("%s is not ready after %s", program, startWithin)
	}
	return nil
}

// readyLine reads `ready node=… nats=… http=…`.
func readyLine(line string) (map[string]string, error) {
	words := strings.Fields(line)
	if len(words) == 0 || words[0] != "ready" {
		return nil, fmt.Errorf("its first line is %q, want one that begins with ready", line)
	}
	said := map[string]string{}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		said[key] = value
	}
	return said, nil
}

// stop asks a program to end, and makes it.
func stop(b *testing.B, cmd *exec.Cmd, log *os.File) {
	defer log.Close()
	kill := time.AfterFunc(stopWithin, func() { _ = cmd.Process.Kill() })
	defer kill.Stop()
	err := cmd.Process.Signal(syscall.SIGTERM)
	if waitErr := cmd.Wait(); err == nil {
		err = waitErr
	}
	if err != nil {
		b.Errorf("%s did not end in good order: %v", cmd.Path, err)
	}
	if b.Failed() {
		if text, err := os.ReadFile(log.Name()); err == nil {
			b.Logf("%s said:\n%s", cmd.Path, text[max(0, len(text)-16<<10):])
		}
	}
}
