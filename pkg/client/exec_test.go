package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/shunt-fleet/shunt/pkg/client"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

var execRequest = messages.ExecRequest{Container: "web-rep-0", Cmd: []string{"cat"}}

// granted is the next credit that is given.
func (s *script) granted() int64 {
	s.t.Helper()
	var c messages.ExecCredit
	if err := json.Unmarshal(s.next(s.said["credit"]).Data, &c); err != nil {
		s.t.Fatal(err)
	}
	return c.Bytes
}

func TestExecCarriesInputSignalsAndSizes(t *testing.T) {
	s, n := scripted(t, messages.VerbExec)
	var stdout, stderr bytes.Buffer
	x, err := n.Exec(t.Context(), execRequest, client.Streams{Stdin: strings.NewReader(strings.Repeat("a", messages.MaxFrameSize) + "b"), Stdout: &stdout, Stderr: &stderr})
	if err != nil {
		t.Fatal(err)
	}
	var req messages.ExecRequest
	if err := json.Unmarshal(s.hear(), &req); err != nil || !req.Stdin {
		t.Errorf("the request is %+v, %v; want it to announce an input", req, err)
	}
	s.say(`{"session":"s1"}`)
	if err := errors.Join(x.Resize(24, 80), x.Signal("INT")); err != nil {
		t.Error(err)
	}
	if m := s.next(s.said["resize"]); string(m.Data) != `{"v":1,"rows":24,"cols":80}` {
		t.Errorf("the size is %s", m.Data)
	}
	if m := s.next(s.said["signal"]); string(m.Data) != `{"v":1,"signal":"INT"}` {
		t.Errorf("the signal is %s", m.Data)
	}
	for i, want := range []int{messages.MaxFrameSize, 1, 0} {
		m := s.next(s.said["in"])
		if len(m.Data) != want || m.Header.Get(messages.HeaderSeq) != string(rune('1'+i)) {
			t.Errorf("input %d has %d bytes and the number %s; want %d", i+1, len(m.Data), m.Header.Get(messages.HeaderSeq), want)
		}
	}
	s.out("so ")
	s.say("oh", messages.HeaderStream, "stderr")
	s.say("\n", messages.HeaderBeat, "1")
	s.out("far")
	s.end(messages.HeaderExitCode, "7")
	if code, err := x.Wait(); code != 7 || err != nil || stdout.String() != "so far" || stderr.String() != "oh" {
		t.Errorf("it ends with %d, %v, having written %q and %q", code, err, &stdout, &stderr)
	}
	if err := x.Signal("INT"); err != nil && !strings.Contains(err.Error(), "ended") {
		t.Errorf("a signal after the end: %v", err)
	}
}

// What is written is what credit is given for; a writer that stands still gets
// none, though the asker still beats.
func TestExecGivesCreditForWhatIsWritten(t *testing.T) {
	s, n := scripted(t, messages.VerbExec)
	r, w := io.Pipe()
	x, err := n.Exec(t.Context(), execRequest, client.Streams{Stdin: strings.NewReader(""), Stdout: w})
	if err != nil {
		t.Fatal(err)
	}
	s.hear()
	s.say(`{"session":"s1"}`)
	window := s.granted()
	if window < messages.MaxFrameSize {
		t.Fatalf("the first credit is %d bytes; want at least a frame", window)
	}
	frame := strings.Repeat("x", messages.MaxFrameSize)
	for range window / messages.MaxFrameSize {
		s.out(frame) // all that may be sent, and nobody reads
	}
	s.next(s.said["in"]) // the end of the input
	if err := s.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := len(s.said["credit"]); got != 0 {
		t.Errorf("%d credits were given for what nobody has read", got)
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	for back := int64(0); back < window/2; {
		back += s.granted()
	}
	s.end(messages.HeaderExitCode, "0")
	if code, err := x.Wait(); code != 0 || err != nil {
		t.Errorf("it ends with %d, %v", code, err)
	}
}

func TestExecNoticesThatFramesWereLost(t *testing.T) {
	s, n := scripted(t, messages.VerbExec)
	var stdout bytes.Buffer
	x, err := n.Exec(t.Context(), execRequest, client.Streams{Stdout: &stdout})
	if err != nil {
		t.Fatal(err)
	}
	s.hear()
	if err := x.Resize(1, 1); err == nil || !strings.Contains(err.Error(), "no size") {
		t.Errorf("a program without a terminal is resized: %v", err)
	}
	s.out("one")
	s.seq++
	s.out("three")
	if _, err := x.Wait(); !errors.Is(err, client.ErrUnreachable) || !strings.Contains(err.Error(), `"3" came where 2`) {
		t.Errorf("it ends with %v after %q", err, &stdout)
	}
}

func TestExecEndsWithTheWorkersError(t *testing.T) {
	s, n := scripted(t, messages.VerbExec)
	x, err := n.Exec(t.Context(), execRequest, client.Streams{Stdin: strings.NewReader("")})
	if err != nil {
		t.Fatal(err)
	}
	s.hear()
	s.say("", messages.HeaderErrorCode, "404", messages.HeaderError, "not_found: container: no such one")
	_, err = x.Wait()
	if e, ok := errors.AsType[*messages.Error](err); !ok || e.Code != messages.CodeNotFound {
		t.Errorf("it ends with %v", err)
	}
	if err := x.Signal("INT"); err == nil {
		t.Error("what never began was signalled")
	}
}

func TestExecWithoutAWorker(t *testing.T) {
	_, c := started(t)
	x, err := c.Node("nobody").Exec(t.Context(), execRequest, client.Streams{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Wait(); !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("it ends with %v", err)
	}
}
