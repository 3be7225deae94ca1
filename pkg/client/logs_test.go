package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// line says a line of a log, written so many seconds after some instant.
func (s *script) line(second int, text string) {
	s.t.Helper()
	at := time.Unix(1_700_000_000+int64(second), 5).UTC()
	s.say(text, messages.HeaderStream, "stdout", messages.HeaderAt, at.Format(time.RFC3339Nano))
}

// read reads logs in the background, line by line.
func read(ctx context.Context, n *client.Node, req messages.LogsRequest) (<-chan string, <-chan error) {
	lines, ended := make(chan string, 1000), make(chan error, 1)
	go func() {
		for f, err := range n.Logs(ctx, req) {
			if err != nil {
				ended <- err
				return
			}
			for line := range strings.Lines(string(f.Data)) {
				lines <- line
			}
		}
		ended <- nil
	}()
	return lines, ended
}

func wantLines(t *testing.T, lines <-chan string, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-lines:
			if got != w {
				t.Fatalf("the line is %q, want %q", got, w)
			}
		case <-time.After(patience):
			t.Fatalf("%q does not come", w)
		}
	}
}

// A follow that broke off asks for the rest, and gives nothing twice, not even
// lines that were written in the same instant.
func TestLogsAreResumedWhereTheyBrokeOff(t *testing.T) {
	s, n := scripted(t, messages.VerbLogs)
	tail := 3
	lines, ended := read(t.Context(), n, messages.LogsRequest{Container: "web-rep-0", Follow: true, Tail: &tail})
	s.hear()
	s.line(1, "one\n")
	s.line(2, "two\n")
	s.line(2, "and two\n")
	wantLines(t, lines, "one\n", "two\n", "and two\n")
	s.seq++ // a frame is lost
	s.line(3, "lost")

	var again messages.LogsRequest
	if err := json.Unmarshal(s.hear(), &again); err != nil {
		t.Fatal(err)
	}
	if again.Tail != nil || !again.Since.Equal(time.Unix(1_700_000_002, 5)) || !again.Follow {
		t.Errorf("it is asked again with %+v", again)
	}
	s.line(2, "two\n")
	s.line(2, "and two\n")
	s.line(2, "and two more\n")
	s.line(3, "three\n")
	s.say("", messages.HeaderErrorCode, "499", messages.HeaderError, "canceled: the worker stops")
	s.hear()
	s.line(3, "three\n")
	s.end()
	wantLines(t, lines, "and two more\n", "three\n")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(lines) > 0 {
		t.Errorf("%q comes as well", <-lines)
	}
}

// bundle sends lines as one frame, of which the last were written at until.
func (s *script) bundle(from, until int, before, last string) {
	s.t.Helper()
	at := func(second int) string {
		return time.Unix(1_700_000_000+int64(second), 5).UTC().Format(time.RFC3339Nano)
	}
	s.say(before+last, messages.HeaderStream, "stdout", messages.HeaderAt, at(from),
		messages.HeaderUntil, at(until), messages.HeaderUntilBytes, strconv.Itoa(len(last)))
}

// A frame may hold lines of several instants.
func TestBundlesAreResumedWhereTheyBrokeOff(t *testing.T) {
	s, n := scripted(t, messages.VerbLogs)
	lines, ended := read(t.Context(), n, messages.LogsRequest{Container: "web-rep-0", Follow: true})
	s.hear()
	s.bundle(1, 3, "one\ntwo\n", "three\n")
	s.line(3, "and three\n")
	wantLines(t, lines, "one\n", "two\n", "three\n", "and three\n")
	for range 2 {
		s.seq++ // a frame is lost
		s.line(4, "lost")
		var again messages.LogsRequest
		if err := json.Unmarshal(s.hear(), &again); err != nil {
			t.Fatal(err)
		}
		if !again.Since.Equal(time.Unix(1_700_000_003, 5)) {
			t.Errorf("it is asked again since %v", again.Since)
		}
		s.bundle(3, 3, "", "three\nand three\n")
	}
	s.line(3, "and more\n")
	s.bundle(4, 5, "four\n", "five\n")
	s.end()
	wantLines(t, lines, "and more\n", "four\n", "five\n")
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(lines) > 0 {
		t.Errorf("%q comes as well", <-lines)
	}
}

// What is not followed ends with the first error: a part of an answer is no
// answer.
func TestLogsThatAreNotFollowedAreNotResumed(t *testing.T) {
	s, n := scripted(t, messages.VerbLogs)
	lines, ended := read(t.Context(), n, messages.LogsRequest{Container: "web-rep-0"})
	s.hear()
	s.line(1, "one\n")
	s.seq++
	s.line(2, "two\n")
	wantLines(t, lines, "one\n")
	if err := <-ended; !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("it ended with %v", err)
	}
}

// A reader that is closed half way lets go of the answer.
func TestALogReaderThatIsClosed(t *testing.T) {
	s, n := scripted(t, messages.VerbLogs)
	r := n.LogReader(t.Context(), messages.LogsRequest{Container: "web-rep-0", Follow: true})
	go func() { s.hear(); s.line(1, "one\n"); s.line(2, "two\n") }()
	buf := make([]byte, 2)
	if got, err := io.ReadFull(r, buf); got != 2 || err != nil || string(buf) != "on" {
		t.Errorf("read %q, %v", buf, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Read(buf); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("after the close: %v", err)
	}
}

// TestLogsOutliveTheirWorker kills a worker in the middle of a follow, twice.
func TestLogsOutliveTheirWorker(t *testing.T) {
	f, c := started(t)
	c.SetSilence(time.Second)
	script := ""
	for i := range 40 {
		script += fmt.Sprintf("echo line %d; sleep 0.02; ", i)
	}
	job := messages.Job{ID: "talks", Op: messages.OpRun, Spec: &messages.Spec{Image: "team/hello:1", Entrypoint: []string{"sh", "-c", script}}}
	if err := c.Submit(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	up(t, c, "talks-rep-0")
	lines, ended := read(t.Context(), c.Node("linux-1"), messages.LogsRequest{Job: "talks", Follow: true})
	wantLines(t, lines, "line 0\n", "line 1\n")
	for range 2 {
		f.nodes["linux-1"].kill()
		if err := f.nodes["linux-1"].start(); err != nil {
			t.Fatal(err)
		}
	}
	for i := 2; i < 40; i++ {
		wantLines(t, lines, fmt.Sprintf("line %d\n", i))
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// up waits until a container of linux-1 runs.
func up(t *testing.T, c *client.Client, container string) {
	t.Helper()
	eventually(t, func() string {
		state, err := c.Node("linux-1").State(t.Context(), container)
		if err == nil && state.State == "running" {
			return ""
		}
		return fmt.Sprintf("%s is %s, %v", container, state.State, err)
	})
}

// until waits for a job's record to be as wanted.
func until(t *testing.T, c *client.Client, id string, want func(*messages.Record) bool) messages.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var last messages.Record
	for rec, err := range c.Watch(ctx, id) {
		if err != nil {
			t.Fatalf("job %s is %s: %v", id, last.State, err)
		}
		if last = rec; want(&rec) {
			return rec
		}
	}
	t.Fatalf("job %s has ended: %s (%s)", id, last.State, last.Reason)
	return last
}
