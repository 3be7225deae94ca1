package worker_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shunt-fleet/shunt/internal/bus"
	"github.com/shunt-fleet/shunt/pkg/messages"
)

// answer is a streamed one, as its asker has it.
type answer struct {
	r      *rig
	sub    bus.Subscription
	frames []bus.Message
}

// stream asks a verb that answers with frames.
func (r *rig) stream(verb messages.WorkerVerb, body string) *answer {
	r.t.Helper()
	r.asked++
	a := &answer{r: r}
	inbox := "_INBOX.rig." + strconv.Itoa(r.asked)
	sub, err := r.client.Subscribe(inbox, func(m bus.Message) {
		r.mu.Lock()
		defer r.mu.Unlock()
		a.frames = append(a.frames, m)
	})
	if err != nil {
		r.t.Fatal(err)
	}
	a.sub = sub
	m := bus.Message{Subject: root.NodeVerb("linux-1", verb), Reply: inbox, Data: []byte(body)}
	if err := r.client.Publish(r.t.Context(), m); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
	return a
}

// leave is what an asker does that ends.
func (a *answer) leave() {
	a.r.t.Helper()
	if err := a.sub.Stop(a.r.t.Context()); err != nil {
		a.r.t.Fatal(err)
	}
}

// all is what has come.
func (a *answer) all() []bus.Message {
	synctest.Wait()
	a.r.mu.Lock()
	defer a.r.mu.Unlock()
	return slices.Clone(a.frames)
}

// said is what has come, in a line: pieces of output as "stdout:…", JSON as it
// is, beats as "beat", the end as "end …" with its headers. It checks that the
// frames are numbered from 1 and that none is too large.
func (a *answer) said() string {
	a.r.t.Helper()
	var parts []string
	for i, m := range a.all() {
		if got := m.Header[messages.HeaderSeq]; got != strconv.Itoa(i+1) {
			a.r.t.Errorf("frame %d has the number %q", i+1, got)
		}
		if len(m.Data) > messages.MaxFrameSize {
			a.r.t.Errorf("frame %d has %d bytes", i+1, len(m.Data))
		}
		parts = append(parts, frameText(a.r.t, m))
	}
	return strings.Join(parts, " ")
}

func frameText(t *testing.T, m bus.Message) string {
	switch {
	case m.Header[messages.HeaderBeat] != "":
		if string(m.Data) != "\n" || m.Reply == "" {
			t.Errorf("a beat has the body %q and the reply subject %q", m.Data, m.Reply)
		}
		return "beat"
	case m.Header[messages.HeaderStream] != "":
		return m.Header[messages.HeaderStream] + ":" + strings.ReplaceAll(string(m.Data), "\n", "|")
	case len(m.Data) > 0:
		return string(m.Data)
	}
	end := "end"
	for _, h := range []string{messages.HeaderStatus, messages.HeaderExitCode, messages.HeaderErrorCode} {
		if v := m.Header[h]; v != "" {
			end += " " + v
		}
	}
	code, _, _ := strings.Cut(m.Header[messages.HeaderError], ":")
	return strings.TrimSpace(end + " " + code)
}

// expect checks what has come of an answer.
func (a *answer) expect(want string) {
	a.r.t.Helper()
	if got := a.said(); got != want {
		a.r.t.Errorf("the answer is\n%s\nwant\n%s", got, want)
	}
}

// serve starts a container that runs until it is stopped.
func (r *rig) serve(name string) {
	r.t.Helper()
	o := r.send(messages.Job{V: messages.Version, ID: name, Op: messages.OpRun, Kind: messages.KindService, Spec: &messages.Spec{Image: "team/server:1"}},
		messages.HeaderWait, "1m")
	if o.Status != messages.StatusRunning {
		r.t.Fatalf("it does not run: %+v", o)
	}
}

func (r *rig) op(op messages.Op, container string, args messages.Args) messages.Outcome {
	r.t.Helper()
	r.asked++
	id := fmt.Sprintf("%s-%d", op, r.asked)
	return r.send(messages.Job{V: messages.Version, ID: id, Op: op, Container: container, Args: args}, messages.HeaderWait, "1m")
}

func TestSilentAnswersBeatUntilTheirAskerLeaves(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		a := r.stream(messages.VerbLogs, `{"v":1,"container":"web-rep-0","follow":true}`)
		a.expect("")
		time.Sleep(5 * time.Second)
		a.expect("beat")
		time.Sleep(5 * time.Second)
		a.expect("beat beat")
		a.leave()
		time.Sleep(5 * time.Second) // nobody listens to the third: were the answer to go on, the rig could not end
		time.Sleep(time.Minute)
		a.expect("beat beat")
		if o := r.op(messages.OpRemove, "web-rep-0", messages.Args{Force: true}); o.Status != messages.StatusCompleted {
			t.Errorf("%+v", o)
		}
	})
}

func TestAFollowEndsWithItsContainerOrItsWorker(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		ends := r.stream(messages.VerbLogs, `{"v":1,"job":"web","follow":true}`)
		r.op(messages.OpStop, "web-rep-0", messages.Args{})
		ends.expect("end 204")

		r.serve("api")
		stops := r.stream(messages.VerbLogs, `{"v":1,"job":"api","follow":true}`)
		r.stop()
		stops.expect("end 503 unavailable")
	})
}

func TestAStreamThatCannotBeginEndsWithTheError(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		for body, want := range map[string]string{
			`{"v":1,"container":"none-rep-0","cmd":["true"]}`: "end 404 not_found",
			`{"v":1,"container":"none","cmd":["true"]}`:       "end 404 not_found",
			`{"v":1,"container":"none-rep-0"}`:                "end 400 invalid_argument",
			`{"v":2}`:                                         "end 400 unsupported_version",
			`{`:                                               "end 400 malformed",
		} {
			r.stream(messages.VerbExec, body).expect(want)
		}
	})
}

func TestStatsComeOnceOrUntilTheContainerEnds(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		once, err := ask[messages.Stats](r, messages.VerbStats, `{"v":1,"container":"web-rep-0"}`)
		if err != nil || once.V != messages.Version || once.At.IsZero() {
			t.Errorf("%+v, %v", once, err)
		}
		if _, err := ask[messages.Stats](r, messages.VerbStats, `{"v":1,"container":"none-rep-0"}`); err == nil || !strings.HasPrefix(err.Error(), "not_found: ") {
			t.Errorf("of an unknown container: %v", err)
		}
		a := r.stream(messages.VerbStats, `{"v":1,"container":"web-rep-0","stream":true}`)
		time.Sleep(2500 * time.Millisecond)
		r.op(messages.OpStop, "web-rep-0", messages.Args{})
		time.Sleep(time.Second)
		all := a.all()
		if len(all) != 4 {
			t.Fatalf("%d frames came in 2.5 s, want 3 and the end: %s", len(all), a.said())
		}
		for _, m := range all[:3] {
			var s messages.Stats
			if err := json.Unmarshal(m.Data, &s); err != nil || s.Validate() != nil || s.At.IsZero() {
				t.Errorf("%s: %v, %v", m.Data, err, s.Validate())
			}
		}
		if end := frameText(t, all[3]); end != "end 204" {
			t.Errorf("it ends with %q", end)
		}
	})
}

func TestEventsAreThoseAskedFor(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		some := r.stream(messages.VerbEvents, `{"v":1,"kinds":["started","exited"]}`)
		all := r.stream(messages.VerbEvents, ``)
		r.send(task("one", "true"), messages.HeaderWait, "1m")
		for _, c := range []struct {
			a    *answer
			want string
		}{{some, "started exited"}, {all, "accepted pulling pulled created started exited removed"}} {
			var kinds []string
			for _, m := range c.a.all() {
				var ev messages.Event
				if err := json.Unmarshal(m.Data, &ev); err != nil || ev.Validate() != nil || ev.Node != "linux-1" || ev.Job != "one" || ev.Container != "one-rep-0" {
					t.Errorf("%s", m.Data)
				}
				kinds = append(kinds, string(ev.Kind))
			}
			if got := strings.Join(kinds, " "); got != c.want {
				t.Errorf("%s were told, want %s", got, c.want)
			}
			c.a.leave()
		}
	})
}

func TestWaitAnswersWhenTheConditionHolds(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		job := task("short", "sh", "-c", "sleep 10; exit 3")
		job.Retain = messages.Duration(time.Minute)
		r.send(job)
		synctest.Wait()
		begun := time.Now()
		w, err := ask[messages.WaitReply](r, messages.VerbWait, `{"v":1,"container":"short-rep-0"}`)
		if took := time.Since(begun); err != nil || w.ExitCode != 3 || w.ExitReason != messages.ExitExited || w.FinishedAt.IsZero() || took != 10*time.Second {
			t.Errorf("after %s: %+v, %v", took, w, err)
		}
		if _, err = ask[messages.WaitReply](r, messages.VerbWait, `{"v":1,"container":"short-rep-0","condition":"removed"}`); err != nil || time.Since(begun) < time.Minute {
			t.Errorf("removed after %s: %v", time.Since(begun), err)
		}
		r.serve("web")
		begun = time.Now()
		_, err = ask[messages.WaitReply](r, messages.VerbWait, `{"v":1,"container":"web-rep-0","condition":"next_exit","timeout":"90s"}`)
		if err == nil || !strings.HasPrefix(err.Error(), "deadline_exceeded: timeout: ") || time.Since(begun) != 90*time.Second {
			t.Errorf("after %s: %v, want deadline_exceeded", time.Since(begun), err)
		}
		waits := r.stream(messages.VerbWait, `{"v":1,"container":"web-rep-0"}`)
		r.stop()
		if all := waits.all(); len(all) != 1 || !strings.HasPrefix(all[0].Header[messages.HeaderError], "unavailable: ") {
			t.Errorf("%v when the worker stops", all)
		}
	})
}

func TestOpenAnswersAreBounded(t *testing.T) {
	inRig(t, func(t *testing.T, r *rig) {
		r.serve("web")
		var open []*answer
		for range 256 {
			open = append(open, r.stream(messages.VerbLogs, `{"v":1,"job":"web","follow":true}`))
		}
		r.stream(messages.VerbEvents, ``).expect("end 429 resource_exhausted")
		if _, err := ask[messages.WaitReply](r, messages.VerbWait, `{"v":1,"container":"web-rep-0"}`); err == nil || !strings.HasPrefix(err.Error(), "resource_exhausted: ") {
			t.Errorf("%v", err)
		}
		begun := time.Now()
		if o := r.send(task("a", "sleep", "5"), messages.HeaderWait, "30s"); o.Status != messages.StatusAccepted || time.Since(begun) > 0 {
			t.Errorf("a command with %s: %+v after %s, want accepted at once", messages.HeaderWait, o, time.Since(begun))
		}
		if draining, left := r.drain(messages.VerbDrain, `{"v":1,"timeout":"10m"}`); !draining || left != 2 || time.Since(begun) > 0 {
			t.Errorf("draining %v, left %d, after %s; want an answer at once", draining, left, time.Since(begun))
		}
		open[0].leave()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if a := r.stream(messages.VerbEvents, ``); a.said() != "" {
			t.Errorf("%s, though one has left", a.said())
		}
	})
}
