package e2e_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	startedEvent = regexp.MustCompile(`"kind":"(started)"`)
	exitedEvent  = regexp.MustCompile(`"kind":"(exited)"`)
)

func logsVerb(t *testing.T, f *fleet) {
	image := f.linuxImage("true")
	f.command(linuxNode, fmt.Sprintf(`{"v":1,"id":"talks","op":"run","spec":{"image":%q,"args":["sh","-c","echo one; echo two; echo three"]},"retain":"1m"}`, image))
	for body, want := range map[string][]string{
		`{"v":1,"job":"talks"}`:                                                     {"one", "two", "three"},
		`{"v":1,"container":"talks-rep-0","follow":true}`:                           {"one", "two", "three"},
		`{"v":1,"container":"talks-rep-0","tail":1}`:                                {"three"},
		`{"v":1,"container":"talks-rep-0","since":"` + future() + `"}`:              {},
		`{"v":1,"container":"talks-rep-0","tail":2,"since":"2020-01-01T00:00:00Z"}`: {"two", "three"},
	} {
		s := f.nats.frames("shunt.node.linux-1.logs", body)
		s.expect(body, "", map[string]string{"Status": "204"})
		if got := strings.Fields(strings.ReplaceAll(s.output.String(), "nil body", "")); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s gives %q, want %q", body, got, want)
		}
	}
	f.command(linuxNode, fmt.Sprintf(`{"v":1,"id":"warns","op":"run","spec":{"image":%q,"args":["printerr","careful"]}}`, image))
	f.nats.frames("shunt.node.linux-1.logs", `{"v":1,"job":"warns"}`).expect("a warning", "careful", map[string]string{
		"Shunt-Stream": "stderr", "Shunt-At": "~T", "Status": "204",
	})
	f.nats.frames("shunt.node.linux-1.logs", `{"v":1,"job":"none"}`).expect("logs of nothing", "", map[string]string{
		"Nats-Service-Error-Code": "404", "Nats-Service-Error": "~not_found: ", "Shunt-Seq": "1",
	})
}

func future() string { return time.Now().Add(time.Hour).UTC().Format(time.RFC3339) }

func execVerb(t *testing.T, f *fleet) {
	f.nats.frames("shunt.node.linux-1.exec",
		`{"v":1,"container":"web-rep-0","cmd":["sh","-c","env; pwd; id; exit 3"],"env":{"WORD":"spoken"},"workdir":"/proc","user":"12:34"}`).
		expect("a program's output", "WORD=spoken", map[string]string{"Status": "204", "Shunt-Exit-Code": "3"})
	f.nats.frames("shunt.node.linux-1.exec", `{"v":1,"container":"web-rep-0","cmd":["no-such-program"]}`).
		expect("a program that is not there", "", map[string]string{"Nats-Service-Error": "~cmd", "Status": ""})
	f.nats.frames("shunt.node.linux-1.exec", `{"v":1,"container":"none-rep-0","cmd":["true"]}`).
		expect("a container that is not there", "", map[string]string{"Nats-Service-Error-Code": "404"})

	s := f.talk(`["cat"]`, `,"stdin":true`)
	s.tell("in", "second", "Shunt-Seq:2") // before the first
	s.tell("in", "first, ", "Shunt-Seq:1")
	s.tell("in", "first, ", "Shunt-Seq:1")
	s.tell("in", "", "Shunt-Seq:3")
	s.wait().expect("what cat was given", "first, second", map[string]string{"Status": "204", "Shunt-Exit-Code": "0"})

	s = f.talk(`["sh","-c","echo first; cat"]`, `,"tty":true`)
	s.tell("credit", `{"v":1,"bytes":3}`)
	s.await(`(?m)^fir$`)
	s.tell("resize", `{"v":1,"rows":24,"cols":80}`)
	s.tell("credit", `{"v":1,"bytes":65536}`)
	s.tell("in", "typed\n", "Shunt-Seq:1")
	s.tell("in", "", "Shunt-Seq:2")
	s.wait().expect("a terminal", "typed", map[string]string{"Status": "204", "Shunt-Exit-Code": "0"})

	s = f.talk(`["sleep","3600"]`, `,"stdin":true`)
	s.tell("signal", `{"v":1,"signal":"INT"}`)
	s.wait().expect("a program that was sent a signal", "", map[string]string{"Status": "204", "Shunt-Exit-Code": "130"})

	s = f.talk(`["sleep","3600"]`, `,"stdin":true`)
	s.wait().expect("a silent session", "", map[string]string{"Nats-Service-Error-Code": "504", "Nats-Service-Error": "~deadline_exceeded: "})
}

// session is an interactive exec.
type session struct {
	*streamed
	f       *fleet
	subject string
}

// talk begins an interactive exec and reads its session's name.
func (f *fleet) talk(cmd, more string) *session {
	f.t.Helper()
	s := f.nats.stream("shunt.node.linux-1.exec", `{"v":1,"container":"web-rep-0","cmd":`+cmd+more+`}`)
	name := s.await(`"session":"([A-Za-z0-9_-]+)"`)
	return &session{s, f, "shunt.node.linux-1.exec." + name + "."}
}

// tell sends one message to the session.
func (s *session) tell(part, body string, header ...string) {
	s.t.Helper()
	args := []string{"pub", "--no-templates"}
	for _, h := range header {
		args = append(args, "-H", h)
	}
	s.f.nats.run(append(args, s.subject+part, body)...)
}
