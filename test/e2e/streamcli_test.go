package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// streamed is a streamed answer as the stock command line shows it: bodies on
// standard output, headers on standard error.
type streamed struct {
	t       *testing.T
	stop    context.CancelFunc
	process *os.Process
	output  *output // bodies
	heads   *output // headers
	ended   chan struct{}
}

// stream asks for an answer in frames and reads it while it comes.
func (n *natsCLI) stream(subject, body string, flags ...string) *streamed {
	n.t.Helper()
	ctx, cancel := context.WithCancel(n.t.Context())
	args := append([]string{"--no-context", "--server", n.url, "req", "--no-templates", "--wait-for-empty", "--reply-timeout", "15s"}, flags...)
	cmd := exec.CommandContext(ctx, n.path, append(args, subject, body)...)
	home := n.t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home)
	s := &streamed{t: n.t, stop: cancel, output: newOutput(), heads: newOutput(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = s.output, s.heads
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	s.process = cmd.Process
	go func() {
		defer close(s.ended)
		_ = cmd.Wait() // what it printed says how it went
	}()
	n.t.Cleanup(func() { cancel(); <-s.ended })
	return s
}

// frames asks for an answer in frames and waits for its end.
func (n *natsCLI) frames(subject, body string) *streamed {
	n.t.Helper()
	return n.stream(subject, body).wait()
}

// wait waits for the end of the answer.
func (s *streamed) wait() *streamed {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("the answer does not end: %s%s", s.output, s.heads)
	}
	return s
}

// header is what the last frame with such a header says there.
func (s *streamed) header(name string) string {
	found := regexp.MustCompile(`(?m)`+name+`: (.*)$`).FindAllStringSubmatch(s.heads.String(), -1)
	if found == nil {
		return ""
	}
	return strings.TrimSpace(found[len(found)-1][1])
}

// await waits until the answer holds something.
func (s *streamed) await(pattern string) string {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	eventually(s.t, "the answer has "+pattern, func() (bool, string) {
		found = re.FindStringSubmatch(s.output.String() + s.heads.String())
		return found != nil, s.output.String() + s.heads.String()
	})
	return found[len(found)-1]
}

// expect checks the headers of the last frame, and that the body has the text.
func (s *streamed) expect(what, text string, headers map[string]string) {
	s.t.Helper()
	for name, want := range headers {
		part, in := strings.CutPrefix(want, "~")
		if got := s.header(name); in && !strings.Contains(got, part) || !in && got != want {
			s.t.Errorf("%s ends with %s: %q, want %q\n%s%s", what, name, got, want, s.output, s.heads)
		}
	}
	if !strings.Contains(s.output.String(), text) {
		s.t.Errorf("%s is %q, want %q in it\n%s", what, s.output, text, s.heads)
	}
}
