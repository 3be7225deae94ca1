package worker_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

func TestExecStreamsAProgramsOutput(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		for cmd, want := range map[string]string{
			`["echo","hello"]`:                      "stdout:hello| end 204 0",
			`["sh","-c","echo a; sleep 7; exit 3"]`: "stdout:a| beat end 204 3",
			`["false"]`:                             "end 204 1",
			`["vim"]`:                               "end 501 not_implemented",
		} {
			a := r.stream(messages.VerbExec, `{"v":1,"container":"web-rep-0","cmd":`+cmd+`}`)
			time.Sleep(10 * time.Second)
			a.expect(want)
		}
	})
}

// programs is how many run in the rig's container beside its own.
func (r *rig) programs(container string) int {
	r.t.Helper()
	s, err := ask[messages.Stats](r, messages.VerbStats, `{"v":1,"container":"`+container+`"}`)
	if err != nil {
		r.t.Fatal(err)
	}
	return int(s.PIDs) - 1
}

func TestAProgramEndsWithItsAsker(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		for _, kind := range []string{``, `,"stdin":true`} {
			a := r.stream(messages.VerbExec, `{"v":1,"container":"web-rep-0","cmd":["sleep","3600"]`+kind+`}`)
			if n := r.programs("web-rep-0"); n != 1 {
				t.Fatalf("%d programs run", n)
			}
			a.leave()
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if n := r.programs("web-rep-0"); n != 0 {
				t.Errorf("%d programs run on without an asker", n)
			}
		}
	})
}

// talk is an interactive exec, and its session's name.
type talk struct {
	*answer
	session string
}

func (r *rig) talk(cmd string) *talk {
	r.t.Helper()
	a := r.stream(messages.VerbExec, `{"v":1,"container":"web-rep-0","stdin":true,"cmd":`+cmd+`}`)
	var first messages.ExecSession
	if all := a.all(); len(all) != 1 || json.Unmarshal(all[0].Data, &first) != nil || first.Validate() != nil {
		r.t.Fatalf("the first frame is no session: %s", a.said())
	}
	return &talk{a, first.Session}
}

// tell sends a message to the session.
func (k *talk) tell(part, body string, header ...string) {
	k.r.t.Helper()
	m := bus.Message{Subject: root.ExecSession("linux-1", k.session, part), Data: []byte(body), Header: bus.Header{}}
	for i := 0; i < len(header); i += 2 {
		m.Header[header[i]] = header[i+1]
	}
	if err := k.r.client.Publish(k.r.t.Context(), m); err != nil {
		k.r.t.Fatal(err)
	}
	synctest.Wait()
}

// ask is tell, and what is answered: "" or the error.
func (k *talk) ask(part, body string) string {
	k.r.t.Helper()
	reply, err := k.r.client.Request(k.r.t.Context(), bus.Message{Subject: root.ExecSession("linux-1", k.session, part), Data: []byte(body)})
	if err != nil {
		k.r.t.Fatalf("%s: %v", part, err)
	}
	code, _, _ := strings.Cut(reply.Header[messages.HeaderError], ":")
	return code
}

// heard is what came behind the session's name.
func (k *talk) heard() string {
	_, rest, _ := strings.Cut(k.said(), "} ")
	return rest
}

func (k *talk) expect(want string) {
	k.r.t.Helper()
	if got := k.heard(); got != want {
		k.r.t.Errorf("the session says %q, want %q", got, want)
	}
}

func TestASessionKeepsToItsCredit(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		k := r.talk(`["sh","-c","echo 12345678; exit 3"]`)
		k.expect("")
		k.tell("credit", `{"v":1,"bytes":4}`)
		k.expect("stdout:1234")
		for range 4 { // alive, and slow
			time.Sleep(4 * time.Second)
			k.tell("credit", `{"v":1,"bytes":0}`)
		}
		if got := strings.ReplaceAll(k.heard(), " beat", ""); got != "stdout:1234" {
			t.Errorf("without credit it says %q", got)
		}
		if got := k.ask("credit", `{"v":1,"bytes":-1}`); got != "invalid_argument" {
			t.Errorf("a credit taken back is answered %q", got)
		}
		if got := k.ask("credit", `{"v":1,"bytes":100}`); got != "" {
			t.Errorf("a credit is answered %q", got)
		}
		if got := strings.ReplaceAll(k.heard(), " beat", ""); got != "stdout:1234 stdout:5678| end 204 3" {
			t.Errorf("it says %q", got)
		}
		time.Sleep(time.Minute) // nothing of the session is left to end
	})
}

func TestASessionWithoutCreditGivesItsOutput(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		k := r.talk(`["echo","hello"]`)
		time.Sleep(999 * time.Millisecond)
		k.expect("")
		time.Sleep(time.Millisecond)
		k.expect("stdout:hello| end 204 0")
	})
}

func TestSilenceEndsASessionAndItsProgram(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		k := r.talk(`["sleep","3600"]`)
		time.Sleep(10 * time.Second)
		k.tell("in", "x", messages.HeaderSeq, "1")
		time.Sleep(14999 * time.Millisecond)
		if got := k.heard(); strings.Contains(got, "end") {
			t.Fatalf("it ends too early: %s", got)
		}
		time.Sleep(time.Millisecond)
		if got := k.heard(); !strings.HasSuffix(got, "end 504 deadline_exceeded") {
			t.Errorf("it says %q after 15 s of silence", got)
		}
		if n := r.programs("web-rep-0"); n != 0 {
			t.Errorf("%d programs run on", n)
		}
	})
}

func TestASessionTakesInputAndSignals(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		k := r.talk(`["sleep","3600"]`)
		for _, c := range []struct{ part, body, want string }{
			{"in", "hello", ""},
			{"in", "", ""}, // the end of it
			{"resize", `{"v":1,"rows":24,"cols":80}`, "failed_precondition"}, // there is no terminal
			{"resize", `{"v":1,"rows":24}`, "invalid_argument"},
			{"signal", `{"v":1,"signal":"NONSENSE"}`, "invalid_argument"},
			{"signal", `{`, "malformed"},
			{"nonsense", ``, "invalid_argument"},
			{"signal", `{"v":1,"signal":"TERM"}`, ""},
		} {
			if got := k.ask(c.part, c.body); got != c.want {
				t.Errorf("%s %s is answered %q, want %q", c.part, c.body, got, c.want)
			}
		}
		k.expect("end 204 143")
	})
}

func TestInputThatIsLostEndsASession(t *testing.T) {
	for name, c := range map[string]struct{ number, want string }{
		"a gap":       {"2", "end 500 data_loss"},
		"no number":   {"x", "end 400 invalid_argument"},
		"before one":  {"0", "end 400 invalid_argument"},
		"a negative":  {"-1", "end 400 invalid_argument"},
		"an overflow": {strconv.Itoa(1<<62) + "00", "end 400 invalid_argument"},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(t *testing.T, r *rig) {
				r.serve("web")
				k := r.talk(`["sleep","3600"]`)
				k.tell("in", "x", messages.HeaderSeq, c.number)
				time.Sleep(5*time.Second + time.Millisecond)
				if got := k.heard(); !strings.HasSuffix(got, c.want) {
					t.Errorf("it says %q, want %q", got, c.want)
				}
			})
		})
	}
}

func TestASessionEndsWithItsWorker(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		k := r.talk(`["sleep","3600"]`)
		r.stop()
		k.expect("end 503 unavailable")
	})
}
